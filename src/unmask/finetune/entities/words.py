"""Texts and where their words are.

Legend: N texts, M words of all of them end to end.
"""

import dataclasses
from collections.abc import Iterable, Iterator, Sequence
from itertools import accumulate, chain, pairwise

import numpy as np
import numpy.typing as npt

from unmask.finetune.entities.sentence import Sentence
from unmask.finetune.entities.split import Place, Splitter

Ints = npt.NDArray[np.int64]

SPACE, NOTHING = " ", ""


def joiner(sentences: Iterable[Sentence]) -> str:
    """Tell what stands between words: nothing where nine of ten are one character, as in Chinese.

    Not where all are: such data have a year or an English name as one word now and then.
    """
    sizes = np.fromiter((len(word) == 1 for item in sentences for word in item.words), np.bool_)
    return NOTHING if sizes.mean() >= 0.9 else SPACE


@dataclasses.dataclass(frozen=True, slots=True)
class Words:
    """Text n has the words starts_N1[n] to starts_N1[n + 1].

    Word m is the characters begin_M[m] to end_M[m] of its text, which is never changed.
    """

    texts: tuple[str, ...]
    begin_M: Ints
    end_M: Ints
    starts_N1: Ints

    @classmethod
    def joined(cls, sentences: Sequence[Sequence[str]], between: str) -> "Words":
        """Write words as running text."""
        texts = tuple(map(between.join, sentences))
        return cls._of(texts, [list(_laid(words, len(between))) for words in sentences])

    @classmethod
    def found(cls, texts: Sequence[str], splitter: Splitter) -> "Words":
        """Find the words of running text."""
        return cls._of(tuple(texts), [list(splitter(text)) for text in texts])

    @classmethod
    def _of(cls, texts: tuple[str, ...], places: list[list[Place]]) -> "Words":
        starts_N1 = np.fromiter(accumulate(map(len, places), initial=0), np.int64)
        flat = chain.from_iterable(chain.from_iterable(places))
        place_M2 = np.fromiter(flat, np.int64, 2 * int(starts_N1[-1])).reshape(-1, 2)
        return cls(texts, place_M2[:, 0], place_M2[:, 1], starts_N1)

    def __len__(self) -> int:
        return len(self.begin_M)

    def pieces(self) -> Iterator[tuple[str, int]]:
        """Yield each word with what stands before it in its text, and how long the latter is.

        Pieces end to end are the text, but for what follows its last word.
        """
        begins, ends = self.begin_M.tolist(), self.end_M.tolist()
        bounds = pairwise(self.starts_N1.tolist())
        for text, (first, last) in zip(self.texts, bounds, strict=True):
            before = 0
            for word in range(first, last):
                yield text[before : ends[word]], begins[word] - before
                before = ends[word]

    def by_text(self, values_M: Sequence[str]) -> list[list[str]]:
        """Share out one value a word to the texts."""
        starts = self.starts_N1.tolist()
        return [list(values_M[first:last]) for first, last in pairwise(starts)]


def _laid(words: Sequence[str], between: int) -> Iterator[Place]:
    begin = 0
    for word in words:
        yield begin, begin + len(word)
        begin += len(word) + between
