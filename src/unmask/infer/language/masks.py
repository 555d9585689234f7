"""Texts with masks: where the masks stand, among the tokens and among the characters.

L length, N masks of a text.
"""

import dataclasses
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from tokenizers import Encoding

from unmask.core.errors import UserError
from unmask.infer.language.quoting import quoted
from unmask.infer.language.rows import Row
from unmask.tokenizer.tokenizer import Tokenizer

Ints = npt.NDArray[np.int64]


@dataclasses.dataclass(frozen=True, slots=True)
class Masked:
    """A text, the model's view of it, and the characters that each mask stands for."""

    text: str
    row: Row
    """Its places are those of the masks."""
    gaps: tuple[tuple[int, int], ...]
    """Start and stop of each mask in the text, with the space that is part of its answer."""

    @property
    def after_space(self) -> tuple[bool, ...]:
        """Whether the answer for each mask begins with the space before it."""
        return tuple(self.text[start:stop][:1].isspace() for start, stop in self.gaps)

    def filled(self, ids: Sequence[int]) -> Ints:
        """Put tokens in place of the first masks and give all ids, ids_L."""
        ids_L = self.row.ids_L.copy()
        ids_L[self.row.places_N[: len(ids)]] = ids
        return ids_L


def find(tokenizer: Tokenizer, texts: Sequence[str], max_length: int) -> list[Masked]:
    """Encode texts and find their masks; the end of a long text is cut off.

    UserError if a text has no mask, or one in what is cut off.
    """
    spaced = _takes_space(tokenizer)
    encodings = tokenizer.encode(texts, max_length=max_length)
    return [
        _masked(tokenizer, text, encoding, f"text {number} ({quoted(text)})", spaced=spaced)
        for number, (text, encoding) in enumerate(zip(texts, encodings, strict=True), start=1)
    ]


def _masked(
    tokenizer: Tokenizer, text: str, encoding: Encoding, name: str, *, spaced: bool
) -> Masked:
    token = tokenizer.mask_token
    ids_L = np.array(encoding.ids, np.int64)
    places_N = np.flatnonzero(ids_L == tokenizer.mask_id)
    lost = sum(rest.ids.count(tokenizer.mask_id) for rest in encoding.overflowing)
    if lost:
        raise UserError(
            f"{name}: {lost} of its {token} come after the first {len(ids_L)} tokens",
            "the model reads no more at once; cut the text around its masks",
        )
    if not len(places_N):
        raise UserError(f"{name}: no {token} in it", f"write {token} where a word is missing")
    gaps = [_gap(text, *encoding.offsets[place], spaced=spaced) for place in places_N]
    row = Row(ids_L, places_N)
    return Masked(text, row, tuple(gaps))


def _gap(text: str, start: int, stop: int, *, spaced: bool) -> tuple[int, int]:
    """Widen a mask by the spaces before it, where they are the answer's."""
    return (len(text[:start].rstrip()) if spaced else start), stop


def _takes_space(tokenizer: Tokenizer) -> bool:
    """Tell whether the space before a mask is left to its answer, as in RoBERTa's own tokenizer.

    Where it is a token of its own, the answer stands after it; in BERT spaces are no tokens.
    """
    if tokenizer.family == "bert":
        return False
    return tokenizer.mask_id == tokenizer.encode([" " + tokenizer.mask_token])[0].ids[1]
