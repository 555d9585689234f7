import json

import pytest

from unmask.core.errors import UserError
from unmask.finetune.metrics.cmrc import cmrc
from unmask.finetune.metrics.squad import grade1, squad1, squad2

REFERENCES = {"q1": ["in Paris"], "q2": ["a cat", "the black cat"], "q3": ["1789"], "q4": ["x"]}


@pytest.mark.parametrize("score", [squad1, squad2, cmrc])
def test_a_question_without_prediction_counts_as_wrong_and_is_named(score, capsys):
    full = {question: answers[0] for question, answers in REFERENCES.items()}

    scores = score(REFERENCES, {"q2": full["q2"], "other": "x"})

    assert score(REFERENCES, full)["f1"] == 100
    assert scores["f1"] == 25
    assert scores["total"] == 4
    said = capsys.readouterr().err.splitlines()
    assert said == [
        "3 questions without prediction count as wrong: q1, q3, q4",
        "1 questions with a prediction are not in the data: other",
    ]


def test_of_several_references_the_best_counts():
    scores = squad1({"q": ["a cat", "the black cat"]}, {"q": "Black cat!"})

    assert scores == {"exact_match": 100, "f1": 100, "total": 1}


def test_an_unanswerable_question_is_right_with_no_answer_even_if_nobody_predicted_others():
    scores = squad2({"q1": [], "q2": [], "q3": ["x"]}, {"q1": "", "q2": "y", "q3": ""})

    assert scores == pytest.approx(
        {
            "exact": 100 / 3,
            "f1": 100 / 3,
            "total": 3,
            "HasAns_exact": 0,
            "HasAns_f1": 0,
            "HasAns_total": 1,
            "NoAns_exact": 50,
            "NoAns_f1": 50,
            "NoAns_total": 2,
        }
    )
    assert json.loads(json.dumps(scores)) == scores


def test_an_unanswerable_question_without_prediction_is_wrong():
    assert squad2({"q": [], "p": ["x"]}, {"p": "x"})["NoAns_exact"] == 0


def test_grades_stand_in_the_order_of_the_references():
    graded = grade1(REFERENCES, {"q3": "in 1789", "q1": "Paris"})

    assert graded.exact_N.tolist() == [0, 0, 0, 0]
    assert graded.f1_N.tolist() == pytest.approx([2 / 3, 0, 2 / 3, 0])
    assert graded.predicted_N.tolist() == [True, False, True, False]


@pytest.mark.parametrize(
    ("references", "predictions", "said"),
    [
        ({}, {}, "no questions to score"),
        ({"q1": ["x"], "q2": []}, {}, "1 of 2 questions have no reference answer, .* q2"),
        ({"q1": ["x"]}, {"q1": None}, "question q1: the prediction None is no text"),
    ],
)
def test_what_cannot_be_scored_is_refused(references, predictions, said):
    for score in (squad1, cmrc):
        with pytest.raises(UserError, match=said):
            score(references, predictions)
