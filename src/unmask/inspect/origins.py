"""Where in the corpus each token of a block comes from.

A plan copies tokens and never looks at them. So the same plan over shards in which every token is
its own number says of each place of a block which token stands there, whatever the format.

Legend: N tokens, S shards, U units (sentences and ends of documents).
"""

import dataclasses
from collections.abc import Sequence
from typing import Any, cast

import numpy as np
import numpy.typing as npt

from unmask.tokens import format as units
from unmask.tokens.format import Ints
from unmask.tokens.plan_names import PlanName
from unmask.tokens.plans.blocks import Blocks, SpecialIds
from unmask.tokens.plans.choose import choose
from unmask.tokens.read import Shard

SPECIAL = -1
"""The number of what is no token of the text."""


@dataclasses.dataclass(frozen=True, slots=True)
class Origin:
    """Of tokens: their documents and sentences, each numbered from 0."""

    document_N: Ints
    """In the split."""
    sentence_N: Ints
    """In the document."""
    inside_N: npt.NDArray[np.bool_]
    """Whether the token is not the first of its sentence."""


class Origins:
    """The origins of the tokens of one split, in one plan."""

    def __init__(
        self, shards: Sequence[Shard], name: PlanName, length: int, special: SpecialIds
    ) -> None:
        self._shards = shards
        self._first_S = np.cumsum([0, *(len(shard.ids_T) for shard in shards)])
        self._document_S = np.cumsum([0, *(_documents(shard) for shard in shards)])
        numbered = [
            Shard(cast("Any", _Numbers(int(first), len(shard.ids_T))), shard.lengths)
            for first, shard in zip(self._first_S, shards, strict=False)
        ]
        outside = SpecialIds(SPECIAL, SPECIAL, SPECIAL, special.between)
        self._plan = choose(name, numbered, length, outside)

    def read(self, block_B: Ints) -> Blocks:
        """Read blocks in which tokens are numbers, and special tokens and padding SPECIAL."""
        return self._plan.read(block_B)

    def of(self, number_N: Ints) -> Origin:
        """Find tokens, by their numbers."""
        found = np.empty((3, len(number_N)), np.int64)
        shard_N = np.searchsorted(self._first_S, number_N, side="right") - 1
        for shard in np.unique(shard_N):
            here_N = shard_N == shard
            in_shard_N = number_N[here_N] - self._first_S[shard]
            found[:, here_N] = _within(self._shards[shard], in_shard_N)
            found[0, here_N] += self._document_S[shard]
        return Origin(found[0], found[1], found[2].astype(np.bool_))


@dataclasses.dataclass(frozen=True, slots=True)
class _Numbers:
    """The ids of a shard in which every token is its own number; it takes no memory."""

    first: int
    count: int

    def __len__(self) -> int:
        return self.count

    def __getitem__(self, run: slice) -> Ints:
        return np.arange(self.first + run.start, self.first + run.stop, dtype=np.int64)


def _documents(shard: Shard) -> int:
    return int((units.unpack(shard.lengths).tokens_U == 0).sum())


def _within(shard: Shard, number_N: Ints) -> tuple[Ints, Ints, npt.NDArray[np.bool_]]:
    """Find the document, its sentence, and whether the token is inside of the sentence."""
    tokens_U = units.unpack(shard.lengths).tokens_U
    end_U = np.cumsum(tokens_U)
    # No end of a document is found: its last token lies in the sentence before it.
    unit_N = np.searchsorted(end_U, number_N, side="right")
    ends_U = tokens_U == 0
    document_U = np.cumsum(ends_U) - ends_U
    head_D = np.concatenate(([0], np.flatnonzero(ends_U) + 1))
    document_N = document_U[unit_N]
    inside_N = number_N > end_U[unit_N] - tokens_U[unit_N]
    return document_N, unit_N - head_D[document_N], inside_N
