"""Histograms of lengths, in few bins that people can read.

Legend: V different lengths, in ascending order; P parts.
"""

import dataclasses
from collections.abc import Iterable, Sequence

import numpy as np
import numpy.typing as npt

from unmask.inspect.look import Bin, Histogram
from unmask.tokens import format as units
from unmask.tokens.format import Ints
from unmask.tokens.read import Shard

BINS = 16


@dataclasses.dataclass(frozen=True, slots=True)
class Tally:
    """How often each length occurs."""

    length_V: Ints
    count_V: Ints

    @classmethod
    def of(cls, parts: Iterable[npt.NDArray[np.integer]]) -> "Tally":
        """Count part by part, so that only the different lengths are held."""
        lengths, counts = [np.zeros(0, np.int64)], [np.zeros(0, np.int64)]
        for part in parts:
            length_V, count_V = np.unique(part, return_counts=True)
            lengths.append(length_V.astype(np.int64))
            counts.append(count_V)
        length_V, place_P = np.unique(np.concatenate(lengths), return_inverse=True)
        count_V = np.zeros(len(length_V), np.int64)
        np.add.at(count_V, place_P, np.concatenate(counts))
        return cls(length_V, count_V)


def blocks(lengths_B: npt.NDArray[np.uint32], length: int) -> Histogram:
    """Bins of one width, from the first token to the block length."""
    width = -(-length // BINS)
    lows = range(1, length + 1, width)
    bins = [(low, min(low + width - 1, length)) for low in lows]
    return _histogram("blocks", Tally.of([lengths_B]), bins)


def sentences(shards: Sequence[Shard]) -> Histogram:
    """Bins that double: 1, 2 to 3, 4 to 7 and so on."""
    found = (units.unpack(shard.lengths).tokens_U for shard in shards)
    tally = Tally.of(tokens_U[tokens_U > 0] for tokens_U in found)
    return _histogram("sentences", tally, _doubling(tally))


def documents(shards: Sequence[Shard]) -> Histogram:
    """Bins that double, as those of sentences."""
    tally = Tally.of(map(_documents, shards))
    return _histogram("documents", tally, _doubling(tally))


def _documents(shard: Shard) -> Ints:
    tokens_U = units.unpack(shard.lengths).tokens_U
    end_D = np.cumsum(tokens_U)[tokens_U == 0]
    length_D: Ints = np.diff(end_D, prepend=0)
    return length_D


def _doubling(tally: Tally) -> list[tuple[int, int]]:
    """From the bin of the shortest to the bin of the longest."""
    first, last = (int(tally.length_V[place]).bit_length() for place in (0, -1))
    return [(1 << bits - 1, (1 << bits) - 1) for bits in range(first, last + 1)]


def _histogram(title: str, tally: Tally, bins: Sequence[tuple[int, int]]) -> Histogram:
    total = int(tally.count_V.sum())
    running_V = np.concatenate(([0], np.cumsum(tally.count_V)))
    counts = []
    for low, high in bins:
        start, end = np.searchsorted(tally.length_V, [low, high + 1])
        counts.append(Bin(low, high, int(running_V[end] - running_V[start])))
    middle = np.searchsorted(running_V[1:], (total + 1) // 2)
    return Histogram(
        title,
        tuple(counts),
        total,
        mean=float(tally.length_V @ tally.count_V / total),
        median=int(tally.length_V[middle]),
        longest=int(tally.length_V[-1]),
    )
