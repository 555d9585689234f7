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

Ints = npt.NDArray[np.int64]


@dataclasses.dataclass(frozen=True, slots=True)
class Parity:
    """Differences of logits on real text."""

    compared: int
    """Texts, tokens or hidden words."""
    max_difference: float
    mean_difference: float
    std_difference: float
    same_argmax: float
    """Share of choices that are the same: of a class, an option, or a place to start and to end.
    A number is no choice: 1."""


def parity(
    reference: Sequence[Logits],
    exported: Sequence[Logits],
    choices: Sequence[tuple[Ints, Ints]],
) -> Parity:
    """Compare answers to the same texts, and what they choose."""
    left_NC, right_NC = (np.concatenate(list(one)) for one in (reference, exported))
    difference_NC = np.abs(left_NC.astype(np.float64) - right_NC)
    same = np.concatenate([left == right for left, right in choices])
    return Parity(
        compared=len(left_NC),
        max_difference=float(difference_NC.max()),
        mean_difference=float(difference_NC.mean()),
        std_difference=float(difference_NC.std()),
        same_argmax=float(same.mean()),
    )


def chosen(logits_NC: Logits, examples: Examples, kind: type[Model]) -> Ints:
    """What the logits choose: a class for each row, an option, or for questions two places."""
    if kind is SpanExtractor:
        starts_S = examples.sequences.starts_N1[1:-1]
        parts = np.split(logits_NC, starts_S)
        return np.concatenate([part.argmax(0) for part in parts]).astype(np.int64)
    if kind is MultipleChoice:
        logits_NC = logits_NC.reshape(-1, examples.each)
    best_N: Ints = logits_NC.argmax(1)
    return best_N
