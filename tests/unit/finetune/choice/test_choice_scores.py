import numpy as np
import pytest

from unmask.core.errors import UserError
from unmask.finetune.choice import checks, scores
from unmask.finetune.choice.example import Question


def question(number, gold, *, part="", options=("a", "b")):
    return Question(
        id=str(number),
        passage="",
        question="q",
        options=options,
        gold=gold,
        place=f"row {number}",
        part=part,
    )


def test_the_highest_score_of_each_question_is_chosen_and_the_first_of_equal_ones():
    scores_S = np.array([0.1, 0.2, 0.3, 5, 4, 3, 1, 7, 7, 0, 0, 0], np.float32)

    assert scores.chosen(scores_S, 3).tolist() == [2, 0, 1, 0]
    assert scores.chosen(scores_S, 4).tolist() == [3, 3, 0]


def test_accuracy_is_told_of_all_and_of_each_part():
    parts = ["middle", "middle", "high", "high", "high"]
    questions = [question(number, 0, part=part) for number, part in enumerate(parts)]

    found = scores.accuracy(questions, np.array([0, 1, 1, 1, 0]))

    assert found == {
        "accuracy": 2 / 5,
        "accuracy_middle": 1 / 2,
        "accuracy_high": pytest.approx(1 / 3),
    }
    assert scores.accuracy([question(0, 1)], np.array([1])) == {"accuracy": 1.0}


def test_a_question_without_an_answer_cannot_be_scored():
    with pytest.raises(UserError, match="row 1: has no answer"):
        scores.accuracy([question(0, 1), question(1, None)], np.array([0, 0]))


def test_another_number_of_options_is_refused_with_both_places():
    mixed = [question(0, 0), question(1, 0, options=("a", "b", "c"))]

    with pytest.raises(UserError, match=r"row 1: 3 options where row 0 has 2"):
        checks.number_of_options(mixed)
    with pytest.raises(UserError, match=r"row 0: 2 options where the model was trained with 4"):
        checks.refuse_other_number(mixed[:1], 4)
    checks.refuse_other_number(mixed[1:], 3)
