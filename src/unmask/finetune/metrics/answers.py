"""Reference answers and predictions of extractive question answering, graded question by question.

Legend: N questions, in the order of the references.
"""

import dataclasses
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from unmask.core.errors import UserError
from unmask.core.progress import say

References: TypeAlias = Mapping[str, Sequence[str]]
"""Every question's reference answers, by its id; none where the text holds no answer."""
Predictions: TypeAlias = Mapping[str, str]
"""The answer given to each question, by its id; empty for "no answer"."""
Grade: TypeAlias = Callable[[str, str], float]
"""What a prediction scores against a reference answer, from 0 to 1."""


@dataclasses.dataclass(frozen=True, slots=True)
class Graded:
    """What every question scores, from 0 to 1."""

    exact_N: npt.NDArray[np.float64]
    f1_N: npt.NDArray[np.float64]
    answerable_N: npt.NDArray[np.bool_]
    """Whether the text holds an answer."""
    predicted_N: npt.NDArray[np.bool_]
    """Whether there is a prediction, be it that there is no answer."""


def grade(references: References, predictions: Predictions, exact: Grade, f1: Grade) -> Graded:
    """Grade every question by its best reference answer; without prediction it scores 0.

    Raises:
        UserError: for no question, one without a reference, and a prediction that is no text.
    """
    _check(references, predictions)

    def best(score: Grade) -> npt.NDArray[np.float64]:
        return np.array(
            [
                max(score(predictions[question], answer) for answer in answers)
                if question in predictions
                else 0.0
                for question, answers in references.items()
            ]
        )

    return Graded(
        exact_N=best(exact),
        f1_N=best(f1),
        answerable_N=np.full(len(references), fill_value=True),
        predicted_N=np.array([question in predictions for question in references]),
    )


def _check(references: References, predictions: Predictions) -> None:
    if not references:
        raise UserError("there are no questions to score", "give a data file with questions")
    empty = [question for question, answers in references.items() if not answers]
    if empty:
        raise UserError(
            f"{len(empty):,} of {len(references):,} questions have no reference answer, the first "
            f"of them {empty[0]}",
            "score data with unanswerable questions as SQuAD 2.0",
        )
    for question, prediction in predictions.items():
        if not isinstance(prediction, str):
            raise UserError(
                f"question {question}: the prediction {prediction!r} is no text",
                'give an object of question ids and answers, "" for no answer',
            )
    _say_of(references.keys() - predictions.keys(), "without prediction count as wrong")
    _say_of(predictions.keys() - references.keys(), "with a prediction are not in the data")


def _say_of(questions: Iterable[str], what: str) -> None:
    if names := sorted(questions):
        more = ", ..." if len(names) > 3 else ""
        say(f"{len(names):,} questions {what}: {', '.join(names[:3])}{more}")
