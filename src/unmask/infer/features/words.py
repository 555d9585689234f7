"""Features of words: those of the tokens that lie on each word.

K layers, T tokens, W words, D width.
"""

import dataclasses
import re
from collections.abc import Sequence
from typing import Literal

import numpy as np
import numpy.typing as npt
from tokenizers import Encoding

from unmask.core.errors import UserError
from unmask.core.progress import say
from unmask.infer.features.states import LAST, Extractor, Floats
from unmask.infer.language.quoting import quoted

Span = tuple[int, int]
Combining = Literal["sum", "mean"]

WORD = re.compile(r"\S+")


@dataclasses.dataclass(frozen=True, slots=True)
class WordFeatures:
    """The features of the words of one text."""

    words: tuple[str, ...]
    spans: tuple[Span, ...]
    """Characters of each word in the text."""
    vectors_KWD: Floats


def word_features(
    extractor: Extractor,
    texts: Sequence[str],
    words: Sequence[Sequence[str]] | None = None,
    *,
    layers: Sequence[int] = LAST,
    combining: Combining = "sum",
) -> list[WordFeatures]:
    """Give a vector for each word of each text and layer, in the order of the texts.

    Words are those between spaces, or the given ones, which must stand in their text in this
    order. A token on several words counts to each in equal parts, so that with "sum" nothing is
    lost (fairseq/models/roberta/alignment_utils.py); "mean" divides by the parts of a word.
    Left out, counted and said: words that are cut off, and words that are no token at all.
    """
    spans = [
        [match.span() for match in WORD.finditer(text)]
        if words is None
        else located(text, words[number], f"text {number + 1} ({quoted(text)})")
        for number, text in enumerate(texts)
    ]
    encodings = extractor.encode(texts)
    found: dict[int, WordFeatures] = {}
    for index, states_KTD in extractor.states(encodings, layers):
        end = _end(encodings[index], len(texts[index]))
        kept = [span for span in spans[index] if span[1] <= end]
        shares_WT = shares(encodings[index].offsets, kept)
        found[index] = _features(texts[index], kept, shares_WT, states_KTD, combining)
    lost = sum(map(len, spans)) - sum(len(item.words) for item in found.values())
    if lost:
        say(f"{lost:,} words have no features: they were cut off or are no token")
    return [found[index] for index in range(len(texts))]


def located(text: str, words: Sequence[str], name: str) -> list[Span]:
    """Find words in their text, one after another; UserError if one is not there."""
    spans = []
    start = 0
    for number, word in enumerate(words, start=1):
        at = text.find(word, start) if word else -1
        if at < 0:
            raise UserError(
                f"{name}: word {number}, {word!r}, does not stand in it after character {start}",
                "give the words as they are written in the text, in its order",
            )
        start = at + len(word)
        spans.append((at, start))
    return spans


def shares(offsets: Sequence[Span], spans: Sequence[Span]) -> npt.NDArray[np.float64]:
    """Share each token out among the words that it lies on, in equal parts: shares_WT.

    A token on no word, such as a space or a special token, has none.
    """
    tokens_T2 = np.array(offsets, np.int64).reshape(-1, 2)
    words_W2 = np.array(spans, np.int64).reshape(-1, 2)
    first_WT = np.maximum(tokens_T2[:, 0], words_W2[:, :1])
    lies_WT = first_WT < np.minimum(tokens_T2[:, 1], words_W2[:, 1:])
    shares_WT: npt.NDArray[np.float64] = lies_WT / np.maximum(lies_WT.sum(axis=0), 1)
    return shares_WT


def _end(encoding: Encoding, length: int) -> int:
    """Find the first character that is cut off, or not with all its tokens there."""
    for rest in encoding.overflowing[:1]:
        return int(rest.offsets[1][0])
    return length


def _features(
    text: str,
    spans: Sequence[Span],
    shares_WT: npt.NDArray[np.float64],
    states_KTD: Floats,
    combining: Combining,
) -> WordFeatures:
    total_W = shares_WT.sum(axis=1)
    weights_WT = shares_WT[total_W > 0]
    if combining == "mean":
        weights_WT /= total_W[total_W > 0, None]
    kept = [span for span, total in zip(spans, total_W, strict=True) if total > 0]
    words = tuple(text[start:stop] for start, stop in kept)
    return WordFeatures(words, tuple(kept), (weights_WT @ states_KTD).astype(np.float32))
