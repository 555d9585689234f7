"""Scores of multiple choice.

Legend: N questions, C options of each, S = N * C sequences.
"""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from unmask.finetune.choice import checks
from unmask.finetune.choice.example import Question

Ints = npt.NDArray[np.int64]


def chosen(scores_S: npt.NDArray[np.floating], options: int) -> Ints:
    """Number the option of each question that scores highest, chosen_N; the first of equal ones."""
    assert len(scores_S) % options == 0
    chosen_N: Ints = scores_S.reshape(-1, options).argmax(axis=1)
    return chosen_N


def accuracy(questions: Sequence[Question], chosen_N: Ints) -> dict[str, float]:
    """Share of right answers: `accuracy`, and `accuracy_PART` for each part there is.

    RACE's parts are middle and high, and its accuracy is that over all questions, as in Lai et al.
    2017 report it. UserError for a question whose answer is not told.
    """
    right_N = checks.gold_numbers(questions) == chosen_N
    part_N = np.array([question.part for question in questions])
    parts = [part for part in dict.fromkeys(part_N.tolist()) if part]
    return {"accuracy": float(right_N.mean())} | {
        f"accuracy_{part}": float(right_N[part_N == part].mean()) for part in parts
    }
