"""From logits to the tags of words, and to entities in the untouched text.

Legend: N texts, M words of all of them, T tokens of all windows end to end, S words that have
tokens, C tags.
"""

import dataclasses
from collections.abc import Sequence
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from unmask.core.errors import UserError
from unmask.finetune.entities.scheme import OUTSIDE, spelled
from unmask.finetune.entities.windows import Windows
from unmask.finetune.entities.words import Ints, Words
from unmask.finetune.metrics import entities as metrics


@dataclasses.dataclass(frozen=True, slots=True)
class Tagged:
    """The likeliest tag of every word."""

    words: Words
    names: tuple[str, ...]
    tag_M: Ints
    score_M: npt.NDArray[np.float64]
    """Its probability; 0 for a word without a token, whose tag is O."""
    seen_M: npt.NDArray[np.bool_]
    """Whether the word has a token."""

    @property
    def sentences(self) -> list[list[str]]:
        """The tags of each text's words, by name, for scores."""
        return self.words.by_text([self.names[tag] for tag in self.tag_M.tolist()])


@dataclasses.dataclass(frozen=True, slots=True)
class Entity:
    """Characters `begin` to `end` of a text, untouched."""

    type: str
    text: str
    begin: int
    end: int
    score: float
    """The mean probability of its words' tags, as in transformers' pipeline."""


def tag(windows: Windows, logits_TC: npt.NDArray[np.float32], names: Sequence[str]) -> Tagged:
    """Read the tag of each word off its first token.

    `logits_TC` are those of `windows.sequences.ids_T`, without padding. UserError if there is no
    tag O, or if a logit is not finite.
    """
    assert logits_TC.shape == (len(windows.word_T), len(names))
    if OUTSIDE not in names:
        raise UserError(
            f"the model has no tag {OUTSIDE}: {', '.join(names[:8])}",
            "give a model that was fine-tuned for entities",
        )
    asked_S = np.flatnonzero(windows.word_T >= 0)
    probability_SC = _softmax(logits_TC[asked_S])
    word_S = windows.word_T[asked_S]
    count = len(windows.words)
    tag_M = np.full(count, names.index(OUTSIDE))
    tag_M[word_S] = probability_SC.argmax(axis=1)
    score_M = np.zeros(count)
    score_M[word_S] = probability_SC.max(axis=1)
    seen_M = np.zeros(count, np.bool_)
    seen_M[word_S] = True
    return Tagged(windows.words, tuple(names), tag_M, score_M, seen_M)


def entities(tagged: Tagged) -> list[list[Entity]]:
    """List the entities of each text, in order.

    As in conlleval, an I- that continues nothing begins an entity; as in transformers, a tag
    without a letter before it, such as PER, is one of these. A word without a token neither ends
    an entity nor belongs to one at its end.
    """
    written = [_written(name) for name in tagged.names]
    bounds = pairwise(tagged.words.starts_N1.tolist())
    found = []
    for text, (first, last) in zip(tagged.words.texts, bounds, strict=True):
        word_S = first + np.flatnonzero(tagged.seen_M[first:last])
        tags = [written[tag] for tag in tagged.tag_M[word_S].tolist()]
        found.append(
            [
                _entity(tagged, text, run.type, word_S[run.start : run.end])
                for run in metrics.entities(tags)
            ]
        )
    return found


def _entity(tagged: Tagged, text: str, kind: str, word_S: Ints) -> Entity:
    begin, end = int(tagged.words.begin_M[word_S[0]]), int(tagged.words.end_M[word_S[-1]])
    return Entity(kind, text[begin:end], begin, end, float(tagged.score_M[word_S].mean()))


def _written(name: str) -> str:
    if name == OUTSIDE:
        return name
    return spelled(name) if name[1:2] == "-" else f"I-{name}"


def _softmax(logits_SC: npt.NDArray[np.float32]) -> npt.NDArray[np.float64]:
    if bad := int((~np.isfinite(logits_SC)).any(axis=1).sum()):
        raise UserError(
            f"the model gives no finite logits for {bad:,} of {len(logits_SC):,} words",
            "its weights are damaged, or the precision is too small for it: try fp32",
        )
    logits_SC64 = logits_SC.astype(np.float64)
    weight_SC = np.exp(logits_SC64 - logits_SC64.max(axis=1, keepdims=True))
    probability_SC: npt.NDArray[np.float64] = weight_SC / weight_SC.sum(axis=1, keepdims=True)
    return probability_SC
