import random

import pytest

from unmask.core.errors import UserError
from unmask.finetune.metrics.answerability import squad2_with_threshold
from unmask.finetune.metrics.squad import squad2

REFERENCES = {"q1": ["x"], "q2": ["y"], "q3": [], "q4": []}
PREDICTIONS = {"q1": "x", "q2": "z", "q3": "u", "q4": "v"}


def test_above_the_threshold_there_is_no_answer():
    no_answer = {"q1": 0.1, "q2": 0.2, "q3": 0.3, "q4": 0.4}

    at = [squad2_with_threshold(REFERENCES, PREDICTIONS, no_answer, one) for one in (0.2, 0.3, 1)]

    assert [scores["exact"] for scores in at] == [75, 50, 25]
    assert [scores["NoAns_exact"] for scores in at] == [100, 50, 0]
    assert {scores["best_exact"] for scores in at} == {75}
    assert {scores["best_exact_thresh"] for scores in at} == {0.1}


def test_the_best_scores_are_those_at_their_thresholds_and_no_threshold_beats_them():
    draw = random.Random(0)
    for _ in range(60):
        references, predictions, no_answer = _questions(draw)
        best = squad2_with_threshold(references, predictions, no_answer, 0.0)

        for name in ("exact", "f1"):
            threshold = best[f"best_{name}_thresh"]
            at_best = squad2_with_threshold(references, predictions, no_answer, threshold)
            assert at_best[name] == pytest.approx(best[f"best_{name}"])
            for other in (-1e9, *no_answer.values(), 1e9):
                scores = squad2_with_threshold(references, predictions, no_answer, other)
                assert scores[name] <= best[f"best_{name}"] + 1e-9


def test_questions_with_the_same_score_go_over_the_threshold_together():
    no_answer = {"q1": 0.5, "q2": 0.5, "q3": 0.5, "q4": 0.5}

    scores = squad2_with_threshold(REFERENCES, PREDICTIONS, no_answer, 0.5)

    assert scores["exact"] == 25
    assert (scores["best_exact"], scores["best_exact_thresh"]) == (50, 0)  # all of them silent


def test_the_threshold_that_silences_all_lies_below_negative_scores():
    references = {"q1": [], "q2": []}

    scores = squad2_with_threshold(references, {"q1": "x", "q2": "y"}, {"q1": -3, "q2": 2}, 0.0)

    assert scores["best_exact"] == 100
    assert scores["best_exact_thresh"] < -3


def test_a_missing_prediction_stays_wrong_at_every_threshold():
    references = {"q1": [], "q2": ["x"]}

    for threshold in (-1.0, 1.0):
        scores = squad2_with_threshold(references, {"q2": "x"}, {"q2": 0.0}, threshold)
        assert scores["NoAns_exact"] == 0
        assert scores["best_exact"] == 50


def test_without_any_prediction_the_best_is_nothing():
    scores = squad2_with_threshold(REFERENCES, {}, {}, 0.0)

    assert (scores["exact"], scores["best_f1"], scores["best_f1_thresh"]) == (0, 0, 0)


def test_a_threshold_above_all_scores_as_without_one():
    draw = random.Random(1)
    for _ in range(30):
        references, predictions, no_answer = _questions(draw)
        scores = squad2_with_threshold(references, predictions, no_answer, 1e9)
        plain = squad2(references, predictions)
        assert {name: scores[name] for name in plain} == pytest.approx(plain)


@pytest.mark.parametrize(
    ("no_answer", "said"),
    [
        ({"q1": 0.0, "q2": 0.0, "q3": 0.0}, "question q4 has no no-answer score"),
        ({"q1": 0.0, "q2": 0.0, "q3": 0.0, "q4": float("nan")}, "q4 has no-answer score nan"),
    ],
)
def test_every_prediction_needs_a_finite_score(no_answer, said):
    with pytest.raises(UserError, match=said):
        squad2_with_threshold(REFERENCES, PREDICTIONS, no_answer, 0.0)


def _questions(draw):
    """Few words and few scores, so that there are ties, articles alone and missing predictions."""
    words = ["x", "y", "x y", "the", "", "a"]
    references, predictions, no_answer = {}, {}, {}
    for number in range(draw.randint(1, 8)):
        question = f"q{number}"
        references[question] = draw.sample(words, draw.randint(0, 2))
        if draw.random() < 0.9:
            predictions[question] = draw.choice(words)
            no_answer[question] = draw.choice([-1.5, 0.0, 0.5, 0.5, 2.0, draw.random()])
    return references, predictions, no_answer
