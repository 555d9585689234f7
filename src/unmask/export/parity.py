"""How far an export's logits are from those of the model it was made from.

Legend: N texts, tokens or places; C outputs; S sequences.
"""

import dataclasses
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from unmask.finetune.examples import Examples
from unmask.infer.backend import Logits
from unmask.model.heads import Model, MultipleChoice, SpanExtractor
from unmask.model.problem import Problem

Ints = npt.NDArray[np.int64]


@dataclasses.dataclass(frozen=True, slots=True)
class Parity:
    """Differences of logits on real text."""

    compared: int
    """Texts, tokens or hidden words."""
    max_difference: float
    mean_difference: float
    std_difference: float
    max_relative: float
    """Differences as shares of the source's own number, or of 1 where that is 0."""
    mean_relative: float
    same_argmax: float | None
    """Share of choices that are the same: of a class, yes or no to each of several, an option, or a
    place to start and to end. None for a model that tells a number, which is no choice."""


def parity(
    reference: Sequence[Logits],
    exported: Sequence[Logits],
    choices: Sequence[tuple[Ints, Ints]],
) -> Parity:
    """Compare answers to the same texts, and what they choose."""
    left_NC, right_NC = (np.concatenate(list(one)) for one in (reference, exported))
    difference_NC = np.abs(left_NC.astype(np.float64) - right_NC)
    relative_NC = difference_NC / np.where(left_NC == 0, 1, np.abs(left_NC))
    same = np.concatenate([left == right for left, right in choices])
    return Parity(
        compared=len(left_NC),
        max_difference=float(difference_NC.max()),
        mean_difference=float(difference_NC.mean()),
        std_difference=float(difference_NC.std()),
        max_relative=float(relative_NC.max()),
        mean_relative=float(relative_NC.mean()),
        same_argmax=float(same.mean()) if len(same) else None,
    )


def chosen(
    logits_NC: Logits, examples: Examples, kind: type[Model], problem: Problem | None = None
) -> Ints:
    """What the logits choose: a class for each row, an option, or for questions two places.

    Of several classes, yes or no to each; of a number nothing.
    """
    if problem == "regression":
        return np.zeros(0, np.int64)
    if problem == "multi_label_classification":
        return (logits_NC > 0).ravel().astype(np.int64)
    if kind is SpanExtractor:
        starts_S = examples.sequences.starts_N1[1:-1]
        parts = np.split(logits_NC, starts_S)
        return np.concatenate([part.argmax(0) for part in parts]).astype(np.int64)
    if kind is MultipleChoice:
        logits_NC = logits_NC.reshape(-1, examples.each)
    best_N: Ints = logits_NC.argmax(1)
    return best_N
