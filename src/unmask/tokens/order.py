"""The order of blocks in training: keyed bijections, computed per index.

No shuffled list exists anywhere, so any position of any epoch costs the same and resuming at
block 10**9 costs nothing.

Legend: B blocks, N positions asked for, R rounds, S strata.
"""

import dataclasses
import functools
import math
from collections.abc import Iterable, Sequence

import numpy as np
import numpy.typing as npt

from unmask.core.hashing import draw, draw_one, stream
from unmask.tokens.format import Ints

ROUNDS = 6
GOLDEN = (math.sqrt(5) - 1) / 2
FEW = 16
"""Numbers that walk on quicker one by one than as an array."""
STRETCH = 1024
"""Positions whose blocks are found at once and kept for whoever asks for the next ones."""
FEWEST = 8
"""Blocks of a stratum at least: the order of fewer would hardly differ between epochs."""


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
        keys = [stream("order", self.seed, self.epoch, round_) for round_ in range(ROUNDS)]
        bits = _half_bits(self.count)
        number_N = _network(index_N, bits, keys)
        outside = np.flatnonzero(number_N >= self.count)
        while len(outside) > FEW:
            number_N[outside] = _network(number_N[outside], bits, keys)
            outside = outside[number_N[outside] >= self.count]
        for place in outside.tolist():
            number_N[place] = _walk(int(number_N[place]), self.count, bits, keys)
        return number_N


@functools.lru_cache(maxsize=16)
def _stretch(order: Order, number: int) -> Ints:
    """The blocks of one stretch of an epoch: neighbours are asked for together, or soon after."""
    first = number * STRETCH
    return order(np.arange(first, min(first + STRETCH, order.count), dtype=np.int64))


@dataclasses.dataclass(frozen=True, slots=True)
class Shuffled:
    """Every block once an epoch; each epoch has its own order."""

    seed: int
    count: int

    def at(self, first: int, number: int) -> tuple[Ints, Ints]:
        """The epochs and block numbers at positions first ... first + number - 1 of training.

        Position n lies in epoch n // count.
        """
        epoch_N, index_N = _places(first, number, self.count)
        parts, done = [], 0
        while done < number:
            epoch, index = int(epoch_N[done]), int(index_N[done])
            stretch, place = divmod(index, STRETCH)
            blocks = _stretch(Order(self.seed, epoch, self.count), stretch)
            parts.append(blocks[place : place + number - done])
            done += len(parts[-1])
        return epoch_N, np.concatenate(parts)


@dataclasses.dataclass(frozen=True, slots=True)
class Stratified:
    """Every block once an epoch, and any run of positions holds long and short ones alike.

    The blocks, sorted by length, are cut into strata. Position i of an epoch takes its block from
    stratum (i * stride) % S, in that stratum's own order of that epoch; so S positions in a row
    have one block of each stratum, and fewer (a stride by the golden section) spread evenly.
    """

    seed: int
    by_length_B: Ints
    """Block numbers, from the shortest block to the longest."""
    first_S: Ints
    """Where each stratum begins in by_length_B, and the end: one entry more than strata."""
    stride: int
    """How many strata further the next position looks; it shares no divisor with their number."""

    @classmethod
    def of(cls, seed: int, lengths_B: npt.NDArray[np.integer], strata: int) -> "Stratified":
        """Cut blocks of these lengths into so many strata, or fewer where they are few."""
        strata = max(1, min(strata, len(lengths_B) // FEWEST))
        order_B = np.argsort(lengths_B, kind="stable")
        return cls(seed, order_B, *strata_of(len(lengths_B), strata))

    @property
    def count(self) -> int:
        """Blocks of an epoch."""
        return int(self.first_S[-1])

    def at(self, first: int, number: int) -> tuple[Ints, Ints]:
        """The epochs and block numbers at positions first ... first + number - 1 of training."""
        strata = len(self.first_S) - 1
        epoch_N, index_N = _places(first, number, self.count)
        inside_N, turn_N = np.divmod(index_N, strata)
        stratum_N = turn_N * self.stride % strata
        start_N = self.first_S[stratum_N]
        size_N = self.first_S[stratum_N + 1] - start_N
        key_N = draw(draw(stream("stratified", self.seed), epoch_N), stratum_N)
        # One network for all strata, wherever one asks: the largest has count / strata, rounded up.
        bits = _half_bits(-(-self.count // strata))
        return epoch_N, self.by_length_B[start_N + _shuffled(inside_N, size_N, key_N, bits)]


def strata_of(count: int, strata: int) -> tuple[Ints, int]:
    """Where each of `strata` strata of `count` blocks begins, and the end; and the stride.

    A stratum has as many blocks as positions look for one there: those of the first
    count % strata turns have one more than the others.
    """
    stride = max(1, round(strata * GOLDEN))
    while math.gcd(stride, strata) > 1:
        stride += 1
    turn_S = np.arange(strata, dtype=np.int64)
    size_S = np.empty_like(turn_S)
    size_S[turn_S * stride % strata] = count // strata + (turn_S < count % strata)
    return np.concatenate(([0], np.cumsum(size_S))), stride


def _places(first: int, number: int, count: int) -> tuple[Ints, Ints]:
    epoch_N, index_N = np.divmod(np.arange(first, first + number, dtype=np.int64), count)
    return epoch_N, index_N


def _shuffled(index_N: Ints, size_N: Ints, key_N: Ints, bits: int) -> Ints:
    """Map each index below its size through the permutation of its key, as Order does."""
    key_RN = draw(key_N, np.arange(ROUNDS)[:, None])
    number_N = _network(index_N, bits, key_RN)
    while (outside := number_N >= size_N).any():
        number_N[outside] = _network(number_N[outside], bits, key_RN[:, outside])
    return number_N


def _half_bits(count: int) -> int:
    """Half the bits of the numbers below the next power of four."""
    return max(1, (max(count - 1, 1).bit_length() + 1) // 2)


def _walk(number: int, count: int, bits: int, keys: Sequence[int]) -> int:
    """Walk one number on through the network until it lands below the count."""
    half = (1 << bits) - 1
    while number >= count:
        left, right = number >> bits, number & half
        for key in keys:
            left, right = right, left ^ (draw_one(key, right) & half)
        number = (left << bits) | right
    return number


def _network(number_N: Ints, bits: int, keys: Iterable[int | Ints]) -> Ints:
    half = (1 << bits) - 1
    left_N, right_N = number_N >> bits, number_N & half
    for key in keys:
        left_N, right_N = right_N, left_N ^ (draw(key, right_N) & half)
    return (left_N << bits) | right_N
