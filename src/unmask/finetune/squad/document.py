"""Texts as tokens that know which characters they stand for.

Legend: N texts, T tokens of all of them end to end, C characters of all of them.
"""

import dataclasses
import unicodedata
from collections.abc import Callable, Sequence
from itertools import chain

import numpy as np
import numpy.typing as npt

from unmask.tokenizer.tokenizer import Tokenizer

Ints = npt.NDArray[np.int64]
Int32s = npt.NDArray[np.int32]
Bools = npt.NDArray[np.bool_]

TEXTS_AT_ONCE = 512
"""An encoding takes some twenty times the room of the arrays made of it."""


@dataclasses.dataclass(frozen=True, slots=True)
class Documents:
    """Text n is tokens starts_N1[n] to starts_N1[n + 1], without special tokens around it.

    Token t stands for the characters begin_T[t] to end_T[t] of its text, without the space before
    them; both are equal where it stands for white space alone.
    """

    ids_T: Int32s
    begin_T: Int32s
    end_T: Int32s
    starts_N1: Ints

    @classmethod
    def of(cls, texts: Sequence[str], tokenizer: Tokenizer) -> "Documents":
        """Tokenise each text as a whole, as transformers does."""
        first = range(0, max(len(texts), 1), TEXTS_AT_ONCE)
        parts = [_encode(texts[start : start + TEXTS_AT_ONCE], tokenizer) for start in first]
        ids, begins, ends, lengths = zip(*parts, strict=True)
        starts_N1 = np.concatenate([[0], np.concatenate(lengths).cumsum()])
        return cls(np.concatenate(ids), np.concatenate(begins), np.concatenate(ends), starts_N1)


def _encode(texts: Sequence[str], tokenizer: Tokenizer) -> tuple[Int32s, Int32s, Int32s, Ints]:
    encodings = tokenizer.encode(texts)
    length_N = np.fromiter((len(encoding) - 2 for encoding in encodings), np.int64, len(encodings))
    total = int(length_N.sum())
    ids = chain.from_iterable(encoding.ids[1:-1] for encoding in encodings)
    offsets = chain.from_iterable(encoding.offsets[1:-1] for encoding in encodings)
    ids_T = np.fromiter(ids, np.int32, total)
    offset_T2 = np.fromiter(chain.from_iterable(offsets), np.int64, 2 * total).reshape(-1, 2)
    size_N = np.fromiter(map(len, texts), np.int64, len(texts))
    base_T = np.repeat(size_N.cumsum() - size_N + np.arange(len(texts)), length_N)
    begin_T, end_T = _fitted("\n".join(texts), base_T + offset_T2[:, 0], base_T + offset_T2[:, 1])
    return ids_T, (begin_T - base_T).astype(np.int32), (end_T - base_T).astype(np.int32), length_N


def _fitted(text: str, begin_T: Ints, end_T: Ints) -> tuple[Ints, Ints]:
    """Take the space before it off every token, and give it the marks behind it that no token has.

    Byte-level tokens begin with the space before the word, which some tokenizers count as theirs.
    BERT drops accents that are characters of their own; the letter before has them here.
    """
    code_C = np.frombuffer(text.encode("utf-32-le"), np.uint32)
    begin_T = np.minimum(_next(~_are(str.isspace, text, code_C))[begin_T], end_T)
    follower_T = np.append(begin_T[1:], len(code_C))
    unmarked_T = _next(~_are(_is_mark, text, code_C))[end_T]
    return begin_T, np.minimum(unmarked_T, np.maximum(follower_T, end_T))


def _next(chosen_C: Bools) -> Ints:
    """From each place on, the place of the first chosen character; the end where none follows."""
    count = len(chosen_C)
    place_C1 = np.append(np.where(chosen_C, np.arange(count), count), count)
    return np.minimum.accumulate(place_C1[::-1])[::-1]


def _are(kind: Callable[[str], bool], text: str, code_C: npt.NDArray[np.uint32]) -> Bools:
    """Tell of each character whether it is of a kind."""
    codes = [ord(letter) for letter in set(text) if kind(letter)]
    return np.isin(code_C, np.array(codes, np.uint32))


def _is_mark(letter: str) -> bool:
    return unicodedata.category(letter).startswith("M")
