"""Words as tokens: those of running text, of which each is of one word.

A word is tokenised with what stands before it, so `Berlin` in the middle of a sentence is
`ĠBerlin`, as the encoder has always seen it. Tokenizers cut at every space anyway; where no space
stands between two words, as in Chinese, none of their tokens is of both.

Legend: N texts, M words of all of them, D tokens of all words, K different pieces.
"""

import dataclasses

import numpy as np
import numpy.typing as npt
from tokenizers import Encoding

from unmask.finetune.entities.words import Ints, Words
from unmask.finetune.sequences import counted
from unmask.tokenizer.tokenizer import Tokenizer

AT_ONCE = 4096
"""An encoding takes some twenty times the room of the arrays made of it."""


@dataclasses.dataclass(frozen=True, slots=True)
class Tokens:
    """Text n is tokens starts_N1[n] to starts_N1[n + 1], without special tokens around it."""

    ids_D: npt.NDArray[np.int32]
    first_M: Ints
    """The first token with a character of the word; -1 where the tokenizer drops all of it."""
    starts_N1: Ints

    @classmethod
    def of(cls, words: Words, tokenizer: Tokenizer) -> "Tokens":
        """Tokenise every word; each different piece of text once."""
        number_of: dict[tuple[str, int], int] = {}
        piece_M = np.fromiter(
            (number_of.setdefault(piece, len(number_of)) for piece in words.pieces()),
            np.int64,
            len(words),
        )
        ids, firsts = _encode(list(number_of), tokenizer)
        length_K = np.fromiter(map(len, ids), np.int64, len(ids))
        starts_K = length_K.cumsum() - length_K
        ids_P = np.fromiter((id_ for piece in ids for id_ in piece), np.int32, length_K.sum())
        starts_M1 = np.concatenate([[0], length_K[piece_M].cumsum()])
        place_D = counted(starts_K[piece_M], length_K[piece_M])
        first_M = np.array(firsts, np.int64)[piece_M]
        return cls(
            ids_P[place_D],
            np.where(first_M < 0, -1, starts_M1[:-1] + first_M),
            starts_M1[words.starts_N1],
        )

    @property
    def unseen(self) -> int:
        """Words that the tokenizer drops: control characters, zero-width ones and the like."""
        return int((self.first_M < 0).sum())


def _encode(
    pieces: list[tuple[str, int]], tokenizer: Tokenizer
) -> tuple[list[list[int]], list[int]]:
    ids: list[list[int]] = []
    firsts: list[int] = []
    for start in range(0, len(pieces), AT_ONCE):
        some = pieces[start : start + AT_ONCE]
        encodings = tokenizer.encode([text for text, _ in some])
        ids += [encoding.ids[1:-1] for encoding in encodings]
        firsts += [_first(item, gap) for item, (_, gap) in zip(encodings, some, strict=True)]
    return ids, firsts


def _first(encoding: Encoding, gap: int) -> int:
    """Find the first token that holds more than the space before the word; -1 if none does."""
    for index, (begin, end) in enumerate(encoding.offsets[1:-1]):
        if end > max(begin, gap):
            return index
    return -1
