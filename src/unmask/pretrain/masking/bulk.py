"""The exact choice of tokens, fast: the same positions as `choose.exact` over single tokens.

Only numpy, and in place: new memory costs more than the arithmetic. Only the upper 31 bits of the
hashes are computed and compared; where they do not tell the last chosen position from the next,
which happens to one block in millions, `choose.exact` is asked.

Legend: B blocks, L length, N positions that are spared, M masked positions.
"""

import sys
import threading

import numpy as np
import numpy.typing as npt

from unmask.core.hashing import GOLDEN, LARGEST, Words, draw, mix
from unmask.pretrain.masking import choose, units
from unmask.tokens.format import Ints

UPPER = int(sys.byteorder == "little")
"""Which of the two halves of a number in memory is the upper one."""


class _Memory(threading.local):
    """Room for intermediate numbers, kept between calls, one for each thread."""

    def __init__(self) -> None:
        self.words = np.empty(0, np.uint64)

    def take(self, rows: int, length: int) -> tuple[Words, Words]:
        """Two arrays of this shape, filled with anything."""
        if len(self.words) < 2 * rows * length:
            self.words = np.empty(2 * rows * length, np.uint64)
        first, second = self.words[: 2 * rows * length].reshape(2, rows, length)
        return first, second


_memory = _Memory()


def positions(
    spared_BL: npt.NDArray[np.bool_], key_B: Ints, budget_L: Ints, probability: float
) -> Ints:
    """The flat positions of the smallest hashes of each block, ascending."""
    rows, length = spared_BL.shape
    states_BL, spare_BL = _memory.take(rows, length)
    np.copyto(states_BL.view(np.int64), (key_B + GOLDEN)[:, None])
    np.add(states_BL, (np.arange(length) * GOLDEN).view(np.uint64), out=states_BL)
    mix(states_BL, spare_BL)
    mixed_BL = states_BL.view(np.int64)
    spared_N = spared_BL.reshape(-1).nonzero()[0]
    mixed_BL.reshape(-1)[spared_N] = LARGEST
    edge_B = spared_N.searchsorted(np.arange(0, rows * length + 1, length))
    count_B = budget_L[length - edge_B[1:] + edge_B[:-1]]
    limit_B = _limits(mixed_BL, count_B, spare_BL)
    position_M = (mixed_BL < limit_B[:, None]).reshape(-1).nonzero()[0]
    if len(position_M) == count_B.sum():  # no block has more than its count, so each has it
        return position_M
    hash_BL = draw(key_B[:, None], np.arange(length))
    chosen_BL = choose.exact(units.tokens(~spared_BL), hash_BL, probability)
    return chosen_BL.reshape(-1).nonzero()[0]  # type: ignore[no-any-return]


def _limits(mixed_BL: Ints, count_B: Ints, spare_BL: Words) -> Ints:
    """A number for each block; its `count` smallest are below it, or fewer at a tie."""
    rows, length = mixed_BL.shape
    upper_BL = spare_BL.reshape(-1).view(np.int32)[: rows * length].reshape(rows, length)
    np.copyto(upper_BL, mixed_BL.view(np.int32)[:, UPPER::2])
    last = min(int(count_B.max(initial=0)), length - 1)
    upper_BL.partition(last, axis=1)
    smallest_BK = upper_BL[:, : last + 1]
    smallest_BK.sort(axis=1)
    next_B = smallest_BK[np.arange(rows), np.minimum(count_B, last)]
    limit_B: Ints = next_B.astype(np.int64) >> 1 << 33
    return limit_B
