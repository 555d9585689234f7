"""How often each pair of symbols occurs, and which pair comes next.

Shapes: S symbols of all words, W words, M places where a pair is merged, C occurrences of pairs
that come or go, G different pairs among them.
"""

import heapq
from array import array
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from unmask.tokenizer.words import Pieces, Words

Ints = npt.NDArray[np.int64]
Keys = npt.NDArray[np.int64] | npt.NDArray[np.uint16]
WordNumbers = npt.NDArray[np.int32]

NONE = -1
"""No symbol: the edge of a word."""

LARGEST_SUM = 1 << 62
"""No count of a pair may come near 2**63, where int64 would wrap."""

_NARROWING = 8


class Sites(NamedTuple):
    """Where a pair was merged: the symbols around it, as they were then, and the word."""

    before_M: Ints
    after_M: Ints
    word_M: WordNumbers


class Pairs:
    """The counts of all pairs and a queue of them: frequent pairs first, then those of low ids.

    As in `tokenizers`' do_train, an entry of the queue has its own words, may be out of date and
    then goes back with the present count; the count of a merged pair itself stays as it is.
    Entries that are rarer than `_floor` wait in a flat array, as most never have their turn.
    """

    def __init__(self, counts_W: Ints, symbols: int) -> None:
        self._counts_W = counts_W
        self._counts: dict[int, int] = {}  # by left << 32 | right
        self._queue: list[tuple[int, int, int, int]] = []  # -count, pair, range in the pool
        self._waiting = array("q")  # count, pair, range in the pool
        self._floor = LARGEST_SUM
        # A symbol begins one pair; a merge takes one symbol away and makes two pairs at most.
        self._pool = np.empty(3 * symbols, np.int32)
        self._used = 0

    @classmethod
    def of_bytes(cls, words: Words, symbols: npt.NDArray[np.int32]) -> "Pairs":
        """Count the pairs of bytes, as 16-bit numbers, which are sorted in linear time."""
        pairs = cls(words.counts_W, len(words.letters_S))
        letters_S, symbol = words.letters_S.astype(np.uint16), symbols.astype(np.int64)
        pairs._count(
            letters_S[:-1] << 8 | letters_S[1:],
            words.lengths_W,
            lambda pair_G: symbol[pair_G >> 8] << 32 | symbol[pair_G & 0xFF],
        )
        return pairs

    @classmethod
    def of_pieces(cls, pieces: Pieces) -> "Pairs":
        """Count the pairs that earlier merges have left."""
        pairs = cls(pieces.counts_W, len(pieces.symbols_S))
        symbols_S = pieces.symbols_S.astype(np.int64)
        pairs._count(
            symbols_S[:-1] << 32 | symbols_S[1:],
            pieces.lengths_W,
            lambda pair_G: pair_G.astype(np.int64),
        )
        return pairs

    def pop(self, least: int) -> tuple[int, int, WordNumbers] | None:
        """Take the next pair and its words; None if it was seen less than `least` times."""
        while self._refill():
            count, pair, start, end = heapq.heappop(self._queue)
            now = self._counts[pair]
            if now != -count:
                self._push(now, pair, start, end)
                continue
            if now < least:
                return None
            words = self._pool[start:end]
            return pair >> 32, pair & 0xFFFFFFFF, words[_begins(words)]
        return None

    def update(self, sites: Sites, left: int, right: int, new: int) -> None:
        """Count the pairs that a merge has made and those that it has broken up."""
        beside_M2 = np.empty((len(sites.word_M), 2), np.int64)
        beside_M2[:, 0], beside_M2[:, 1] = sites.before_M, sites.after_M
        inside_M2 = beside_M2 != NONE
        word_C = sites.word_M.repeat(2)[inside_M2.ravel()]
        if not len(word_C):
            return
        beside_M2[:, 0] <<= 32
        made_M2 = beside_M2 | np.array([new, new << 32])
        broken_M2 = beside_M2 | np.array([left, right << 32])
        pair_C = np.concatenate((made_M2[inside_M2], broken_M2[inside_M2]))
        count_C = self._counts_W[word_C]
        order_C, first_G = _groups(pair_C)
        is_made_C = order_C < len(word_C)
        self._absorb(
            pair_C[order_C[first_G]],
            np.add.reduceat(np.concatenate((count_C, -count_C))[order_C], first_G),
            word_C[order_C[is_made_C]],
            np.add.reduceat(is_made_C, first_G, dtype=np.int64).cumsum(),
        )

    def _count(
        self, pair_S: Keys, lengths_W: npt.NDArray[np.int32], named: Callable[[Keys], Ints]
    ) -> None:
        """Count what begins at each symbol but the last; `named` tells the pairs of keys."""
        word_S = np.arange(len(lengths_W), dtype=np.int32).repeat(lengths_W)
        inside_S = word_S[1:] == word_S[:-1]
        pair_C = pair_S[inside_S]
        if not len(pair_C):
            return
        order_C, first_G = _groups(pair_C)
        word_C = word_S[:-1][inside_S][order_C]
        self._absorb(
            named(pair_C[order_C[first_G]]),
            np.add.reduceat(self._counts_W[word_C], first_G),
            word_C,
            np.append(first_G[1:], len(pair_C)),
        )

    def _absorb(self, pair_G: Ints, change_G: Ints, word_C: WordNumbers, end_G: Ints) -> None:
        """Change counts; a pair that was made goes into the queue with the words it was made in.

        Those of the first pair are `word_C` up to `end_G[0]`, those of the next up to `end_G[1]`.
        """
        start = self._used
        self._used += len(word_C)
        self._pool[start : self._used] = word_C
        ends = (end_G + start).tolist()
        for pair, change, end in zip(pair_G.tolist(), change_G.tolist(), ends, strict=True):
            count = self._counts[pair] = self._counts.get(pair, 0) + change
            if end > start:
                if count > 0:
                    self._push(count, pair, start, end)
                start = end

    def _push(self, count: int, pair: int, start: int, end: int) -> None:
        if count >= self._floor:
            heapq.heappush(self._queue, (-count, pair, start, end))
        else:
            self._waiting.extend((count, pair, start, end))

    def _refill(self) -> bool:
        """Bring the most frequent pair to the head of the queue; False if there is none left."""
        while not self._queue or -self._queue[0][0] < self._floor:
            if not self._floor:
                return False
            self._floor //= _NARROWING
            waiting = np.array(self._waiting, np.int64).reshape(-1, 4)
            is_ready = waiting[:, 0] >= self._floor
            self._waiting = array("q", waiting[~is_ready].tobytes())
            for count, pair, start, end in waiting[is_ready].tolist():
                self._queue.append((-count, pair, start, end))
            heapq.heapify(self._queue)
        return True


def _groups(keys_C: Keys) -> tuple[Ints, Ints]:
    """Sort keys, equal ones in the order they have; also give where each different one begins."""
    order_C = keys_C.argsort(kind="stable")
    return order_C, _begins(keys_C[order_C]).nonzero()[0]


def _begins(sorted_C: npt.NDArray[np.integer]) -> npt.NDArray[np.bool_]:
    """Tell what differs from the one before it."""
    differs_C = np.ones(len(sorted_C), np.bool_)
    np.not_equal(sorted_C[1:], sorted_C[:-1], out=differs_C[1:])
    return differs_C
