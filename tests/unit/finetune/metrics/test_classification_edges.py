import json

import numpy as np
import pytest

from unmask.core.errors import UserError
from unmask.finetune.metrics.classification import (
    classification,
    confusion,
    per_class,
    positive_class,
)
from unmask.finetune.metrics.multilabel import multilabel


def test_a_class_that_is_never_predicted_counts_as_zero():
    assert classification([0, 1], [0, 0])["macro_f1"] == pytest.approx((2 / 3) / 2)


def test_a_class_that_does_not_occur_does_not_count():
    assert classification([0, 2], [0, 2])["macro_f1"] == 1


@pytest.mark.parametrize(
    ("gold", "predicted", "expected"),
    [
        ([1, 1], [1, 1], {"accuracy": 1, "macro_f1": 1, "mcc": 0}),
        ([1], [1], {"accuracy": 1, "macro_f1": 1, "mcc": 0}),
        ([1, 1], [0, 0], {"accuracy": 0, "macro_f1": 0, "mcc": 0}),
        ([0, 1], [1, 1], {"accuracy": 0.5, "macro_f1": 1 / 3, "mcc": 0}),
    ],
)
def test_one_class_alone_has_no_correlation_and_no_warning(gold, predicted, expected):
    assert classification(gold, predicted) == pytest.approx(expected)


def test_nothing_positive_scores_zero():
    scores = positive_class([0, 0], [0, 0], 1)

    assert scores == {"accuracy": 1, "precision": 0, "recall": 0, "f1": 0, "acc_and_f1": 0.5}


def test_nothing_to_score_is_refused():
    for score in (
        lambda: classification([], []),
        lambda: positive_class([], [], 1),
        lambda: per_class([], [], ["a"]),
        lambda: multilabel(np.zeros((0, 2), bool), np.zeros((0, 2), bool), ["a", "b"]),
    ):
        with pytest.raises(UserError, match="no examples to score"):
            score()


def test_scores_go_to_json_as_they_are():
    gold_N, predicted_N = np.array([0, 1, 1]), np.array([1, 1, 0])
    scores = [
        classification(gold_N, predicted_N),
        positive_class(gold_N, predicted_N, 1),
        confusion(gold_N, predicted_N, 2),
    ]

    assert json.loads(json.dumps(scores)) == scores


def test_a_label_that_nobody_has_counts_as_zero_in_the_macro_average():
    gold_NC = np.array([[True, False], [False, False]])

    scores = multilabel(gold_NC, gold_NC, ["there", "nowhere"])

    assert (scores.micro_f1, scores.macro_f1, scores.exact_match) == (1, 0.5, 1)
    assert scores.per_label["nowhere"].support == 0
