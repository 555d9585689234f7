"""How the blocks of a step are shared out to micro-batches.

Legend: N blocks of the step, P blocks of one part.
"""

import dataclasses
from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from unmask.core.errors import UserError
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


def shared(parts: list[Part], ranks: int) -> list[Part]:
    """Halve the largest parts until every process has as many as the others.

    A process that had one less would wait for the others in vain. UserError if it cannot be: where
    there are fewer blocks than processes, or parts of one block alone, as for --micro-batch 1.
    """
    parts = list(parts)
    while len(parts) % ranks:
        largest = max(range(len(parts)), key=lambda index: _places(parts[index]))
        index_P, width = parts[largest].index_P, parts[largest].width
        if len(index_P) == 1:
            raise UserError(
                f"{sum(len(part.index_P) for part in parts)} blocks cannot be shared by "
                f"{ranks} processes",
                "give a larger --batch, --micro-batch 2 or more, or start fewer processes",
            )
        half = len(index_P) // 2
        parts[largest : largest + 1] = [Part(index_P[:half], width), Part(index_P[half:], width)]
    return parts


def _places(part: Part) -> int:
    return len(part.index_P) * part.width if len(part.index_P) > 1 else 0


def blocks_worth(full: int, length: int, lengths_B: npt.NDArray[np.integer]) -> int:
    """How many blocks of these lengths hold the tokens of `full` blocks of full length: rounded."""
    tokens = max(1, int(lengths_B.sum(dtype=np.int64)))
    return max(1, (2 * full * length * len(lengths_B) + tokens) // (2 * tokens))
