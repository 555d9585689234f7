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
from unmask.tokenizer.words import Pieces, Words

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
    places = {token: id_ for id_, token in enumerate(tokens)}
    symbols = np.array([places[letter] for letter in LETTERS], np.int32)
    text = _Text(symbols[words.letters_S], words.lengths_W)
    growing = _Growing(tokens, text, Pairs.of_bytes(words, symbols))
    with bar("learn merges", size - len(tokens)) as progress:
        while len(tokens) < size and (top := growing.pairs.pop(least)):
            before = len(tokens)
            growing.merge(*top)
            progress.advance(len(tokens) - before)
    return Learnt(tokens, growing.merges)


def learn_further(pieces: Pieces, tokens: Sequence[str], size: int, *, least: int) -> Learnt:
    """Learn merges on from a vocabulary, whose ids the symbols of the pieces are.

    The merges are the new ones alone. A pair that would make a token there is already is passed
    over: so no merge of before ever meets what a new one has made. Else as `learn`.
    """
    _refuse_overflow(pieces)
    text = _Text(pieces.symbols_S.copy(), pieces.lengths_W)
    growing = _Growing(list(tokens), text, Pairs.of_pieces(pieces))
    with bar("learn merges", size - len(tokens)) as progress:
        while len(growing.tokens) < size and (top := growing.pairs.pop(least)):
            left, right, _ = top
            if growing.tokens[left] + growing.tokens[right] not in growing.ids:
                growing.merge(*top)
                progress.advance()
    return Learnt(growing.tokens, growing.merges)


class _Growing:
    """A vocabulary, the text in its symbols, and the merges learnt so far."""

    def __init__(self, tokens: list[str], text: "_Text", pairs: Pairs) -> None:
        self.tokens, self.pairs = tokens, pairs
        self.ids = {token: id_ for id_, token in enumerate(tokens)}
        self.merges: list[tuple[str, str]] = []
        self._text = text

    def merge(self, left: int, right: int, words_N: WordNumbers) -> None:
        """Merge the pair in these words, and make a token of it if there is none."""
        self.merges.append((self.tokens[left], self.tokens[right]))
        token = self.tokens[left] + self.tokens[right]
        new = self.ids.setdefault(token, len(self.tokens))
        if new == len(self.tokens):
            self.tokens.append(token)
        self.pairs.update(self._text.merge(words_N, left, right, new), left, right, new)


class _Text:
    """Every word as the symbols it has come to; a merge shortens words in place, in this array."""

    def __init__(self, symbols_S: Symbols, lengths_W: npt.NDArray[np.int32]) -> None:
        self._symbols_S = symbols_S
        self._lengths_W = lengths_W.astype(np.int32)
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


def _refuse_overflow(words: Words | Pieces) -> None:
    # The count of a pair is a sum of counts of words; float64 is exact enough for the comparison.
    if words.counts_W.astype(np.float64) @ words.lengths_W.astype(np.float64) > LARGEST_SUM:
        raise UserError(
            "the counts are too large: summed up over all letters they exceed 2**62",
            "count a part of the text; the merges would be the same",
        )
