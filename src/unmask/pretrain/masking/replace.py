"""What masked tokens become: <mask>, a random token, or what they were.

Legend: M masked positions, V vocabulary, T tokens.
"""

import dataclasses

import numpy as np
import numpy.typing as npt

from unmask.core.errors import UserError
from unmask.core.hashing import IntArray, below, within
from unmask.pretrain.masking.arrays import BoolArray, like
from unmask.pretrain.masking.config import MaskingConfig
from unmask.pretrain.masking.weights import cumulated, weighted
from unmask.tokens.format import Ints
from unmask.tokens.read import Shard

CHUNK = 1 << 22
"""Tokens counted at once."""


@dataclasses.dataclass(frozen=True, slots=True)
class RandomTokens:
    """The ids that may replace a token, and how often each does."""

    ids_N: Ints
    """Ids that can be drawn, ascending."""
    cumulative_N: Ints | None
    """Running sums of their weights; None where all weigh the same."""

    def __call__(self, bits_M: IntArray) -> IntArray:
        """Map 64 random bits to an id."""
        if self.cumulative_N is None:
            number_M = below(bits_M, len(self.ids_N))
        else:
            number_M = weighted(bits_M, self.cumulative_N)
        return like(self.ids_N, bits_M)[number_M]


def uniform(drawable_V: npt.NDArray[np.bool_]) -> RandomTokens:
    """All drawable ids alike."""
    return RandomTokens(np.flatnonzero(drawable_V), None)


def by_frequency(drawable_V: npt.NDArray[np.bool_], counts_V: Ints) -> RandomTokens:
    """Drawable ids as often as they were counted; UserError if that is never."""
    ids_N = np.flatnonzero(drawable_V)
    cumulative_N = cumulated(counts_V[ids_N])
    if len(ids_N) == 0 or cumulative_N[-1] == 0:
        raise UserError(
            "--masking.replacement frequency: the training split has no ordinary token",
            "add text, or leave the flag out",
        )
    return RandomTokens(ids_N, cumulative_N)


def frequencies(shards: list[Shard], vocabulary: int) -> Ints:
    """Count each id in the shards, [V]; a few megabytes of them are in memory at a time."""
    counts_V = np.zeros(vocabulary, np.int64)
    for shard in shards:
        for first in range(0, len(shard.ids_T), CHUNK):
            counts_V += np.bincount(shard.ids_T[first : first + CHUNK], minlength=vocabulary)
    return counts_V


def not_mask(config: MaskingConfig, action_M: IntArray) -> BoolArray:
    """True where a masked position does not become <mask>."""
    return ~within(action_M, config.masked)


def random_not_same(config: MaskingConfig, action_M: IntArray) -> BoolArray:
    """True where a position that does not become <mask> becomes a random token."""
    return within(action_M, config.masked + config.random)
