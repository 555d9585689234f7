"""Training batches as a pure function of (config, position).

Legend: B blocks, L length, M masked positions, N places of a block that are asked for, S blocks
read at once.
"""

import dataclasses
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from unmask.pretrain import cut
from unmask.pretrain.cut import Part
from unmask.pretrain.masking.masker import Masker
from unmask.tokens.format import Ints
from unmask.tokens.order import Shuffled, Stratified
from unmask.tokens.plans.blocks import Blocks
from unmask.tokens.plans.plan import Plan

PLACES_AT_ONCE = 1 << 17
"""Tokens read and masked in one go: a call of numpy costs as much as some thousand tokens."""


@dataclasses.dataclass(frozen=True, slots=True)
class MaskedBatch:
    """What the model sees and what it has to find."""

    number: int
    """Which micro-batch of the step it is, counted over all processes."""
    ids_BL: torch.Tensor
    mask_BL: torch.Tensor | None
    """True at real tokens; None where nothing is padded."""
    types_BL: torch.Tensor | None
    """Which segment a token is of; None where the model does not tell segments apart."""
    places_BN: torch.Tensor
    """Places in each block that are asked for; with pairs the first is <s>. What is left over is
    filled with place 0."""
    asked_M: torch.Tensor
    """Which of these B * N are masked, ascending."""
    targets_M: torch.Tensor
    follows_B: torch.Tensor | None
    """Classes of pairs, as BERT numbers them: 0 where the second segment follows the first."""
    tokens: int
    """Real tokens, padding not counted."""
    real_T: torch.Tensor | None = None
    """Where these stand in B * L; None where nothing is padded, or padding is computed, too."""

    def to(self, device: torch.device) -> "MaskedBatch":
        """The same on a device; a copy from pinned memory goes on beside the computing."""
        return self._changed(lambda tensor: tensor.to(device, non_blocking=True))

    def pinned(self) -> "MaskedBatch":
        """The same in memory that a card can read by itself."""
        return self._changed(lambda tensor: tensor.pin_memory())

    def _changed(self, change: Callable[[torch.Tensor], torch.Tensor]) -> "MaskedBatch":
        fields: dict[str, Any] = {
            field.name: getattr(self, field.name) for field in dataclasses.fields(self)
        }
        tensors = {name: one for name, one in fields.items() if isinstance(one, torch.Tensor)}
        return MaskedBatch(**fields | {name: change(one) for name, one in tensors.items()})


@dataclasses.dataclass(frozen=True, slots=True)
class Batches:
    """The masked blocks of one split, addressed by how many blocks were consumed before.

    A plan with short blocks is read in an order by which every step holds nearly the same number
    of tokens. Blocks computed at once are of like length wherever blocks are padded.
    """

    plan: Plan
    order: Shuffled | Stratified
    masker: Masker
    blocks: int
    """Blocks of one step (or, held out, of one measurement)."""
    micro_batch: int
    """Most blocks of full length to compute at once."""
    typed: bool
    """Whether the model is told which segment a token is of."""

    @classmethod
    def of(
        cls,
        plan: Plan,
        masker: Masker,
        seed: int,
        *,
        batch: int,
        micro_batch: int,
        typed: bool,
    ) -> "Batches":
        """Take `batch` blocks at a time, or as many as hold the tokens of `batch` full ones."""
        if not plan.balanced:
            return cls(plan, Shuffled(seed, plan.count), masker, batch, micro_batch, typed)
        blocks = cut.blocks_worth(batch, plan.length, plan.lengths_B)
        strata = Stratified.of(seed, plan.lengths_B, strata=blocks)
        return cls(plan, strata, masker, blocks, micro_batch, typed)

    def after(
        self, consumed: int, count: int, *, rank: int = 0, ranks: int = 1
    ) -> Iterator[MaskedBatch]:
        """The `count` blocks that follow the first `consumed` ones, in micro-batches.

        Every process takes each `ranks`-th of them, beginning with its own number.
        """
        epoch_N, block_N = self.order.at(consumed, count)
        parts = cut.shared(self._parts(block_N), ranks)
        mine = [(number, part) for number, part in enumerate(parts) if number % ranks == rank]
        for some in _batched(mine):
            index_S = np.concatenate([part.index_P for _, part in some])
            read = self._read(epoch_N[index_S], block_N[index_S])
            first = 0
            for number, part in some:
                rows = slice(first, first + len(part.index_P))
                yield read.micro_batch(number, rows, part.width)
                first = rows.stop

    def _parts(self, block_N: Ints) -> list[Part]:
        lengths_N = self.plan.lengths_B[block_N]
        if (lengths_N == self.plan.length).all():
            return list(cut.in_order(len(block_N), self.micro_batch, self.plan.length))
        return list(cut.by_length(lengths_N, self.micro_batch, self.plan.length))

    def _read(self, epoch_S: Ints, block_S: Ints) -> "_Read":
        blocks = self.plan.read(block_S)
        masked = self.masker(blocks.ids_BL, epoch_S, block_S)
        row_M, place_M = np.divmod(masked.positions_M, self.plan.length)
        types_SL = blocks.types_BL if self.typed else None
        return _Read(blocks, masked.ids_BL, types_SL, row_M, place_M, masked.targets_M)


@dataclasses.dataclass(frozen=True, slots=True)
class _Read:
    """Masked blocks as arrays, before they are cut into micro-batches."""

    blocks: Blocks
    ids_SL: Ints
    types_SL: Ints | None
    row_M: Ints
    place_M: Ints
    targets_M: Ints

    def micro_batch(self, number: int, rows: slice, width: int) -> MaskedBatch:
        lengths_B, follows_S = self.blocks.lengths_B[rows], self.blocks.follows_B
        mask_BL = np.arange(width) < lengths_B[:, None]
        places_BN, asked_M, masked = self._asked(rows)
        return MaskedBatch(
            number=number,
            ids_BL=_tensor(self.ids_SL[rows, :width]),
            mask_BL=None if mask_BL.all() else _tensor(mask_BL),
            types_BL=None if self.types_SL is None else _tensor(self.types_SL[rows, :width]),
            places_BN=_tensor(places_BN),
            asked_M=_tensor(asked_M),
            targets_M=_tensor(self.targets_M[masked]),
            follows_B=(None if follows_S is None else _tensor((~follows_S[rows]).astype(np.int64))),
            tokens=int(lengths_B.sum()),
            real_T=None if mask_BL.all() else _tensor(np.flatnonzero(mask_BL)),
        )

    def _asked(self, rows: slice) -> tuple[Ints, Ints, slice]:
        """The grid of places that are asked for, and where in it the masked ones stand."""
        first, last = self.row_M.searchsorted((rows.start, rows.stop))
        row_M, place_M = self.row_M[first:last] - rows.start, self.place_M[first:last]
        blocks, heads = rows.stop - rows.start, int(self.blocks.follows_B is not None)
        count_B = np.bincount(row_M, minlength=blocks)
        nth_M = np.arange(len(row_M)) - (count_B.cumsum() - count_B)[row_M] + heads
        places_BN = np.zeros((blocks, max(1, heads + int(count_B.max()))), np.int64)
        places_BN[row_M, nth_M] = place_M
        return places_BN, row_M * places_BN.shape[1] + nth_M, slice(int(first), int(last))


def _batched(parts: list[tuple[int, Part]]) -> Iterator[list[tuple[int, Part]]]:
    """Group micro-batches that are read and masked in one go."""
    some: list[tuple[int, Part]] = []
    places = 0
    for number, part in parts:
        some.append((number, part))
        places += len(part.index_P) * part.width
        if places >= PLACES_AT_ONCE:
            yield some
            some, places = [], 0
    if some:
        yield some


def _tensor(array: npt.NDArray[np.generic]) -> torch.Tensor:
    return torch.from_numpy(np.ascontiguousarray(array))
