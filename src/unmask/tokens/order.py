"""The order of blocks in an epoch: a keyed bijection, computed per index.

No shuffled list exists anywhere, so any position of any epoch costs the same and resuming at
block 10**9 costs nothing.
"""

import dataclasses

import numpy as np

from unmask.core.hashing import draw, stream
from unmask.tokens.format import Ints

ROUNDS = 6


@dataclasses.dataclass(frozen=True, slots=True)
class Order:
    """A permutation of range(count), one for each (seed, epoch): a Feistel network.

    The network permutes the next power of four; an index that lands at or above `count` walks on
    through the network until it lands below, which keeps the map a bijection (cycle walking,
    Black and Rogaway 2002).
    """

    seed: int
    epoch: int
    count: int

    def __call__(self, index_N: Ints) -> Ints:
        """Map positions in the epoch to block numbers, int64 to int64."""
        number_N = self._network(index_N)
        while (outside := number_N >= self.count).any():
            number_N[outside] = self._network(number_N[outside])
        return number_N

    def _network(self, number_N: Ints) -> Ints:
        bits = max(1, (max(self.count - 1, 1).bit_length() + 1) // 2)
        half = (1 << bits) - 1
        left_N, right_N = number_N >> bits, number_N & half
        for round_ in range(ROUNDS):
            key = stream("order", self.seed, self.epoch, round_)
            left_N, right_N = right_N, left_N ^ (draw(key, right_N) & half)
        return (left_N << bits) | right_N


def schedule(seed: int, count: int, first: int, number: int) -> tuple[Ints, Ints]:
    """The epochs and block numbers at positions first ... first + number - 1 of training.

    Position n lies in epoch n // count; each epoch has its own order.
    """
    epoch_N, index_N = np.divmod(np.arange(first, first + number, dtype=np.int64), count)
    block_N = np.empty_like(index_N)
    for epoch in np.unique(epoch_N):
        here = epoch_N == epoch
        block_N[here] = Order(seed, int(epoch), count)(index_N[here])
    return epoch_N, block_N
