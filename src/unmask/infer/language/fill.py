"""Fill masks, each by itself: every other mask of the text stays one.

N masks of a text, K candidates, Q masks of all texts, T target words.
"""

import dataclasses
import math
from collections.abc import Sequence

import numpy as np

from unmask.core.progress import bar
from unmask.infer.language import masks
from unmask.infer.language.masks import Masked
from unmask.infer.language.model import Best, Ints, LanguageModel
from unmask.infer.language.splicing import spliced
from unmask.infer.language.targets import target_ids
from unmask.tokenizer.tokenizer import Tokenizer

CANDIDATES = 5


@dataclasses.dataclass(frozen=True, slots=True)
class Candidate:
    """A token that may stand where a mask is."""

    id: int
    token: str
    """As text, with its leading space or "##"."""
    probability: float


@dataclasses.dataclass(frozen=True, slots=True)
class Filled:
    """The answer for one text."""

    text: str
    filled: str
    """With the best candidate for each mask."""
    masks: tuple[tuple[Candidate, ...], ...]
    """Candidates for each mask, the likeliest first."""


def fill(
    model: LanguageModel,
    texts: Sequence[str],
    *,
    top_k: int = CANDIDATES,
    targets: Sequence[str] | None = None,
) -> list[Filled]:
    """Give the likeliest tokens for every mask of every text, in the order of the texts.

    Probabilities are over the whole vocabulary, as in transformers' fill-mask pipeline, also where
    `targets` are the only candidates. UserError for a text without a mask, and for a target that
    is not one token.
    """
    texts_masked = masks.find(model.tokenizer, texts, model.max_length)
    among_QT = None if targets is None else among(model.tokenizer, texts_masked, targets)
    with bar("filling masks", len(texts)) as shown:
        rows = [masked.row for masked in texts_masked]
        found = model.best(rows, top_k, among_QT, shown.advance)
    return [
        _filled(model.tokenizer, masked, best)
        for masked, best in zip(texts_masked, found, strict=True)
    ]


def among(tokenizer: Tokenizer, texts: Sequence[Masked], targets: Sequence[str]) -> Ints:
    """Look up the target words for each mask of each text, among_QT."""
    after_space = [space for masked in texts for space in masked.after_space]
    return target_ids(tokenizer, targets, after_space)


def _filled(tokenizer: Tokenizer, masked: Masked, best: Best) -> Filled:
    candidates = tuple(
        tuple(
            Candidate(
                int(id_), tokenizer.decode([int(id_)], skip_special_tokens=False), math.exp(score)
            )
            for id_, score in zip(ids_K, log_K, strict=True)
        )
        for ids_K, log_K in zip(best.ids_NK, best.log_probability_NK, strict=True)
    )
    ids_N: list[int] = np.asarray(best.ids_NK[:, 0]).tolist()
    return Filled(masked.text, spliced(tokenizer, masked, ids_N), candidates)
