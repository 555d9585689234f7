"""Byte-pair encoding: counted words in, merges out, with 64-bit counts.

The merges, their order and the ids are those of `tokenizers`' BpeTrainer (do_train in
tokenizers/src/models/bpe/trainer.rs, Word::merge in word.rs). Its counts of pairs are 32-bit and
wrap without a word: a corpus with 2**31 times "the" gives a broken vocabulary there.

Memory is proportional to the distinct words, whatever the size of the corpus: some 100 bytes for
each of their bytes, 800 for an English word.

Shapes: S symbols of all words, W words, N the words of one merge, P the symbols of those,
M places where the pair is merged.
"""

import dataclasses
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from unmask.core.errors import UserError
from unmask.core.progress import bar
from unmask.tokenizer.byte_letters import LETTERS
from unmask.tokenizer.pairs import LARGEST_SUM, NONE, Ints, Pairs, Sites, WordNumbers
from unmask.tokenizer.words import Words

Symbols = npt.NDArray[np.int32]

_SLICE_WORDS = 1 << 14


@dataclasses.dataclass(frozen=True, slots=True)
class Learnt:
    """The tokens in the order of their ids, and the merges in the order of their ranks."""

    tokens: list[str]
    merges: list[tuple[str, str]]


def learn(words: Words, specials: Sequence[str], size: int, *, least: int) -> Learnt:
    """Learn merges until there are `size` tokens, or no pair is left that was seen `least` times.

    Tokens: the special ones, the 256 bytes in the order of their characters, then what each merge
    makes. UserError if the counts do not fit into 64 bits.
    """
    _refuse_overflow(words)
    tokens = [*specials, *sorted(LETTERS)]
    ids = {token: id_ for id_, token in enumerate(tokens)}
    symbols = np.array([ids[letter] for letter in LETTERS], np.int32)
    text, pairs = _Text(words, symbols), Pairs(words, symbols)
    merges: list[tuple[str, str]] = []
    with bar("learn merges", size - len(tokens)) as progress:
        while len(tokens) < size and (top := pairs.pop(least)):
            left, right, words_N = top
            merges.append((tokens[left], tokens[right]))
            token = tokens[left] + tokens[right]
            new = ids.setdefault(token, len(tokens))
            if new == len(tokens):
                tokens.append(token)
                progress.advance()
            pairs.update(text.merge(words_N, left, right, new), left, right, new)
    return Learnt(tokens, merges)


class _Text:
    """Every word as the symbols it has come to; a merge shortens words in place."""

    def __init__(self, words: Words, symbols: Symbols) -> None:
        self._symbols_S = symbols[words.letters_S]
        self._lengths_W = words.lengths_W.astype(np.int32)
        self._starts_W = self._lengths_W.cumsum(dtype=np.int64) - self._lengths_W

    def merge(self, words_N: WordNumbers, left: int, right: int, new: int) -> Sites:
        """Put `new` in place of the pair, from left to right in each of the words.

        A slice of the words after the other: the symbols of one fit into the cache.
        """
        slices = [words_N[at : at + _SLICE_WORDS] for at in range(0, len(words_N), _SLICE_WORDS)]
        sites = [self._merge(slice_N, left, right, new) for slice_N in slices]
        return (
            sites[0] if len(sites) == 1 else Sites(*map(np.concatenate, zip(*sites, strict=True)))
        )

    def _merge(self, words_N: WordNumbers, left: int, right: int, new: int) -> Sites:
        starts_N, lengths_N = self._starts_W[words_N], self._lengths_W[words_N]
        ends_N = lengths_N.cumsum(dtype=np.int64)
        firsts_N = ends_N - lengths_N
        symbols_P = self._symbols_S[_places(starts_N - firsts_N, lengths_N)]
        at_M = _occurrences(symbols_P, ends_N, left, right)
        owner_M = ends_N.searchsorted(at_M, side="right")
        # What stands after a place is as it was, before it what earlier merges have made of it.
        after_M = symbols_P.take(at_M + 2, mode="clip").astype(np.int64)
        after_M[at_M + 2 >= ends_N[owner_M]] = NONE
        symbols_P[at_M] = new
        is_kept_P = np.ones(len(symbols_P), np.bool_)
        is_kept_P[at_M + 1] = False
        symbols_P = symbols_P[is_kept_P]
        before_M = symbols_P[at_M - np.arange(1, len(at_M) + 1)].astype(np.int64)
        before_M[at_M == firsts_N[owner_M]] = NONE
        lengths_N -= np.bincount(owner_M, minlength=len(words_N)).astype(np.int32)
        firsts_N = lengths_N.cumsum(dtype=np.int64) - lengths_N
        self._symbols_S[_places(starts_N - firsts_N, lengths_N)] = symbols_P
        self._lengths_W[words_N] = lengths_N
        return Sites(before_M, after_M, words_N[owner_M])


def _places(shifts_N: Ints, lengths_N: npt.NDArray[np.int32]) -> Ints:
    """Where the symbols of words lie that follow each other here and are shifted there."""
    places_P = shifts_N.repeat(lengths_N)
    places_P += np.arange(len(places_P))
    return places_P


def _occurrences(symbols_P: Symbols, ends_N: Ints, left: int, right: int) -> Ints:
    """Where the pair begins; of two that overlap, as in aaa, only the left one counts."""
    is_hit_P = symbols_P[:-1] == left
    is_hit_P &= symbols_P[1:] == right
    is_hit_P[ends_N[:-1] - 1] = False
    at_M: Ints = is_hit_P.nonzero()[0]
    if left != right or not len(at_M):
        return at_M
    begins_M = np.concatenate(([True], at_M[1:] != at_M[:-1] + 1))
    first_M = begins_M.nonzero()[0][begins_M.cumsum() - 1]
    is_even_M = (np.arange(len(at_M)) - first_M) % 2 == 0
    return np.compress(is_even_M, at_M)


def _refuse_overflow(words: Words) -> None:
    # The count of a pair is a sum of counts of words; float64 is exact enough for the comparison.
    if words.counts_W.astype(np.float64) @ words.lengths_W.astype(np.float64) > LARGEST_SUM:
        raise UserError(
            "the counts are too large: summed up over all letters they exceed 2**62",
            "count a part of the text; the merges would be the same",
        )
