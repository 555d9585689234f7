"""The scores of a classifier against their definitions, counted by hand."""

import math

import pytest

from unmask.finetune import metrics

GOLD = [0, 0, 0, 0, 1, 1, 1, 2, 2, 2]
PREDICTED = [0, 0, 0, 1, 1, 1, 2, 2, 2, 0]


def test_accuracy_and_macro_f1_by_their_definitions():
    scores = metrics.classification(GOLD, PREDICTED)

    f1 = []
    for label in (0, 1, 2):
        both = sum(g == p == label for g, p in zip(GOLD, PREDICTED, strict=True))
        f1.append(2 * both / (GOLD.count(label) + PREDICTED.count(label)))
    assert scores["accuracy"] == pytest.approx(0.7)
    assert scores["macro_f1"] == pytest.approx(sum(f1) / 3)


def test_matthews_correlation_of_two_classes_by_its_definition():
    gold, predicted = [1, 1, 1, 0, 0, 0, 0], [1, 1, 0, 0, 0, 0, 1]

    scores = metrics.classification(gold, predicted)

    tp, tn, fp, fn = 2, 3, 1, 1
    expected = (tp * tn - fp * fn) / math.sqrt((tp + fp) * (tp + fn) * (tn + fp) * (tn + fn))
    assert scores["mcc"] == pytest.approx(expected)


def test_a_class_that_is_never_predicted_counts_as_zero():
    assert metrics.classification([0, 1], [0, 0])["macro_f1"] == pytest.approx((2 / 3) / 2)
