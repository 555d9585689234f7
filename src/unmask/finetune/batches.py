"""Training batches as a pure function of (examples, seed, step).

Every step holds the same number of examples, long and short ones alike, so nearly the same number
of tokens; each process gets the same share of them.

Legend: N examples, S those of a step, P those of a part.
"""

import dataclasses
import math
from collections.abc import Iterator

import numpy as np
import torch
from torch import Tensor

from unmask.core.errors import UserError
from unmask.finetune.examples import Examples
from unmask.finetune.inputs import Inputs, Ints, Maker
from unmask.tokens.order import Stratified


@dataclasses.dataclass(frozen=True, slots=True)
class Batch:
    """What is computed at once."""

    number: int
    """Which micro-batch of the step it is, counted over all processes."""
    inputs: Inputs
    targets: Tensor
    examples: int
    tokens: int

    def to(self, device: torch.device) -> "Batch":
        """The same on a device."""
        moved = self.inputs.to(device), self.targets.to(device, non_blocking=True)
        return Batch(self.number, *moved, self.examples, self.tokens)


@dataclasses.dataclass(frozen=True, slots=True)
class Batches:
    """The batches of a training, addressed by step."""

    examples: Examples
    order: Stratified
    maker: Maker
    batch: int
    """Examples of a step."""
    most_tokens: int
    """Places of a micro-batch, padding included."""

    @classmethod
    def of(
        cls, examples: Examples, maker: Maker, seed: int, *, batch: int, most_tokens: int
    ) -> "Batches":
        """Batches in which a step's examples are of as many lengths as there are examples."""
        order = Stratified.of(seed, examples.lengths_N, strata=batch)
        return cls(examples, order, maker, batch, most_tokens)

    def at(self, step: int, *, rank: int = 0, ranks: int = 1) -> list[Batch]:
        """One process's micro-batches of a step; each process has as many as the others."""
        _, index_S = self.order.at(step * self.batch, self.batch)
        parts = self._parts(index_S, ranks)[rank]
        return [self._batch(rank + n * ranks, part) for n, part in enumerate(parts)]

    def _batch(self, number: int, index_P: Ints) -> Batch:
        inputs = self.maker(self.examples.sequences, self.examples.sequences_of(index_P))
        targets = torch.from_numpy(self.examples.targets_of(index_P))
        tokens = int(self.examples.lengths_N[index_P].sum())
        return Batch(number, inputs, targets, len(index_P), tokens)

    def _parts(self, index_S: Ints, ranks: int) -> list[list[Ints]]:
        """Share a step's examples out by length, and cut each share into as many parts."""
        lengths_S = self._longest(index_S)
        order_S = index_S[np.argsort(-lengths_S, kind="stable")]
        shares = [order_S[_dealt(len(order_S), rank, ranks)] for rank in range(ranks)]
        cut = [list(self._cut(share)) for share in shares]
        most = max(map(len, cut))
        for rank, parts in enumerate(cut):
            cut[rank] = _split(parts, most, self.batch, ranks)
        return cut

    def _cut(self, index_S: Ints) -> Iterator[Ints]:
        """Cut examples, the longest first, into parts of no more than `most_tokens` places."""
        first = 0
        while first < len(index_S):
            widest = int(self._longest(index_S[first : first + 1])[0]) * self.examples.each
            size = max(1, self.most_tokens // widest)
            yield index_S[first : first + size]
            first += size

    def _longest(self, index_S: Ints) -> Ints:
        """Tokens of each example's longest sequence: what the others are padded to."""
        lengths_NC = self.examples.sequences.lengths_N.reshape(-1, self.examples.each)
        longest_S: Ints = lengths_NC[index_S].max(1)
        return longest_S


def _dealt(count: int, rank: int, ranks: int) -> Ints:
    """Deal places out back and forth, so that nobody always gets the longer one."""
    place_S = np.arange(count)
    turn_S, seat_S = np.divmod(place_S, ranks)
    seat_S = np.where(turn_S % 2, ranks - 1 - seat_S, seat_S)
    own_S: Ints = place_S[seat_S == rank]
    return own_S


def _split(parts: list[Ints], most: int, batch: int, ranks: int) -> list[Ints]:
    """Halve the largest parts until there are `most`; UserError where that cannot be."""
    parts = list(parts)
    while len(parts) < most:
        largest = max(range(len(parts)), key=lambda index: len(parts[index]), default=None)
        if largest is None or len(parts[largest]) == 1:
            raise UserError(
                f"--batch {batch}: a step's examples cannot be shared by {ranks} processes",
                "give a --batch that is a multiple of the processes, or start fewer",
            )
        parts[largest : largest + 1] = np.array_split(parts[largest], 2)
    return parts


def steps_of(examples: int, *, epochs: float, batch: int) -> int:
    """Steps after which every example was seen `epochs` times."""
    return max(1, math.ceil(round(epochs * examples / batch, 6)))
