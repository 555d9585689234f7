"""What has to hold of all questions together.

Legend: N questions.
"""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from unmask.core.errors import UserError
from unmask.finetune.choice.example import Question


def whole(questions: list[Question], path: Path) -> list[Question]:
    """Give the questions of a file or folder back; UserError if none, or an id that comes twice."""
    if not questions:
        raise UserError(f"{path}: has no questions", "give a file with one or more")
    first: dict[str, Question] = {}
    for question in questions:
        before = first.setdefault(question.id, question)
        if before is not question:
            raise UserError(
                f"{question.place}: the id {question.id!r} stands at {before.place} already",
                "give every question an id of its own, or leave one of the two out",
            )
    return questions


def number_of_options(questions: Sequence[Question]) -> int:
    """Count the options that every question has; UserError where one has another number."""
    assert questions
    count = len(questions[0].options)
    for question in questions:
        if len(question.options) != count:
            raise UserError(
                f"{question.place}: {len(question.options)} options where {questions[0].place} "
                f"has {count}",
                "give every question the same number of options",
            )
    return count


def refuse_other_number(questions: Sequence[Question], options: int) -> None:
    """Raise UserError unless the questions have as many options as a model was trained with."""
    count = number_of_options(questions)
    if count != options:
        raise UserError(
            f"{questions[0].place}: {count} options where the model was trained with {options}",
            "take a model of the same task, or fine-tune one on such questions",
        )


def gold_numbers(questions: Sequence[Question]) -> npt.NDArray[np.int64]:
    """Number the right options, gold_N; UserError for a question whose answer is not told."""
    for question in questions:
        if question.gold is None:
            raise UserError(
                f"{question.place}: has no answer",
                "questions without answers can be predicted, but neither trained on nor scored",
            )
    return np.array([question.gold for question in questions], dtype=np.int64)
