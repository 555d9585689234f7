"""Scores of answers, by the metric that the caller names; and the threshold of giving none."""

from collections.abc import Sequence

from unmask.finetune.metrics.answerability import squad2_with_threshold
from unmask.finetune.metrics.squad import squad1
from unmask.finetune.squad.answers import Answer
from unmask.finetune.squad.read import Question


def scores_1(questions: Sequence[Question], answers: Sequence[Answer]) -> dict[str, float]:
    """SQuAD 1.1: "exact_match" and "f1" of the best texts; UserError for an impossible question."""
    return squad1(_references(questions), _best(answers))


def scores_2(
    questions: Sequence[Question], answers: Sequence[Answer], na_threshold: float
) -> dict[str, float]:
    """SQuAD 2.0 at a threshold of `null_odds`: "exact", "f1", "best_f1" and those of its script."""
    null_odds = {answer.id: answer.null_odds for answer in answers}
    return squad2_with_threshold(_references(questions), _best(answers), null_odds, na_threshold)


def best_na_threshold(questions: Sequence[Question], answers: Sequence[Answer]) -> float:
    """The threshold with the best F1 on these questions: to be chosen on dev and kept."""
    return scores_2(questions, answers, 0.0)["best_f1_thresh"]


def _references(questions: Sequence[Question]) -> dict[str, list[str]]:
    return {
        question.id: [reference.text for reference in question.references] for question in questions
    }


def _best(answers: Sequence[Answer]) -> dict[str, str]:
    return {answer.id: answer.best for answer in answers}
