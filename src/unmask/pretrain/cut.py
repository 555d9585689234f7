"""How the blocks of a step are shared out to micro-batches.

Legend: N blocks of the step, P blocks of one part.
"""

import dataclasses
from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from unmask.tokens.format import Ints

EIGHT = 8
"""Widths are multiples of this, as matrix units like them; so there are few different shapes."""


@dataclasses.dataclass(frozen=True, slots=True)
class Part:
    """Some blocks of a step, computed at once."""

    index_P: Ints
    """Their places among the blocks of the step."""
    width: int
    """Tokens computed of each."""


def in_order(count: int, micro_batch: int, length: int) -> Iterator[Part]:
    """Cut `count` blocks as they come, each computed in full length."""
    for first in range(0, count, micro_batch):
        yield Part(np.arange(first, min(first + micro_batch, count)), length)


def by_length(lengths_N: npt.NDArray[np.integer], micro_batch: int, length: int) -> Iterator[Part]:
    """Put blocks of like length together, so that little padding is computed.

    The longest come first. A part is as wide as its longest block, rounded up to a multiple of 8,
    and holds no more places than `micro_batch` blocks of full length would.
    """
    order_N = np.argsort(-lengths_N.astype(np.int64), kind="stable")
    first = 0
    while first < len(order_N):
        longest = int(lengths_N[order_N[first]])
        width = min(-(-longest // EIGHT) * EIGHT, length)
        size = micro_batch * length // width
        yield Part(order_N[first : first + size], width)
        first += size


def blocks_worth(full: int, length: int, lengths_B: npt.NDArray[np.integer]) -> int:
    """How many blocks of these lengths hold the tokens of `full` blocks of full length: rounded."""
    tokens = max(1, int(lengths_B.sum(dtype=np.int64)))
    return max(1, (2 * full * length * len(lengths_B) + tokens) // (2 * tokens))
