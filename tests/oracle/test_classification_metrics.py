"""The scores of a classifier against their definitions and against scikit-learn."""

import math
import random

import numpy as np
import pytest
from sklearn import metrics as sklearn_metrics

from unmask.finetune.metrics.classification import (
    classification,
    confusion,
    per_class,
    positive_class,
)
from unmask.finetune.metrics.multilabel import multilabel

GOLD = [0, 0, 0, 0, 1, 1, 1, 2, 2, 2]
PREDICTED = [0, 0, 0, 1, 1, 1, 2, 2, 2, 0]
CASES = 500


def test_accuracy_and_macro_f1_by_their_definitions():
    scores = classification(GOLD, PREDICTED)

    f1 = []
    for label in (0, 1, 2):
        both = sum(g == p == label for g, p in zip(GOLD, PREDICTED, strict=True))
        f1.append(2 * both / (GOLD.count(label) + PREDICTED.count(label)))
    assert scores["accuracy"] == pytest.approx(0.7)
    assert scores["macro_f1"] == pytest.approx(sum(f1) / 3)


def test_matthews_correlation_of_two_classes_by_its_definition():
    gold, predicted = [1, 1, 1, 0, 0, 0, 0], [1, 1, 0, 0, 0, 0, 1]

    scores = classification(gold, predicted)

    tp, tn, fp, fn = 2, 3, 1, 1
    expected = (tp * tn - fp * fn) / math.sqrt((tp + fp) * (tp + fn) * (tn + fp) * (tn + fn))
    assert scores["mcc"] == pytest.approx(expected)


def test_matthews_correlation_of_several_classes_is_that_of_their_indicators():
    for gold_N, predicted_N, classes in _cases():
        gold_NC, predicted_NC = (np.eye(classes)[array] for array in (gold_N, predicted_N))

        def covariance(x_NC, y_NC):
            return ((x_NC - x_NC.mean(axis=0)) * (y_NC - y_NC.mean(axis=0))).sum()

        spread = covariance(gold_NC, gold_NC) * covariance(predicted_NC, predicted_NC)
        shared = covariance(gold_NC, predicted_NC)
        expected = shared / math.sqrt(spread) if spread > 1e-9 else 0.0
        assert classification(gold_N, predicted_N)["mcc"] == pytest.approx(expected, abs=1e-9)


def test_the_positive_class_scores_as_in_scikit_learn():
    for gold_N, predicted_N, classes in _cases():
        positive = classes - 1
        scores = positive_class(gold_N, predicted_N, positive)

        precision, recall, f1, _ = sklearn_metrics.precision_recall_fscore_support(
            gold_N == positive, predicted_N == positive, average="binary", zero_division=0.0
        )
        accuracy = sklearn_metrics.accuracy_score(gold_N, predicted_N)
        assert scores == pytest.approx(
            {
                "accuracy": accuracy,
                "precision": precision,
                "recall": recall,
                "f1": f1,
                "acc_and_f1": (accuracy + f1) / 2,
            }
        )


def test_every_class_scores_as_in_scikit_learn():
    for gold_N, predicted_N, classes in _cases():
        labels = [f"class {number}" for number in range(classes)]
        scores = per_class(gold_N, predicted_N, labels)

        expected = sklearn_metrics.precision_recall_fscore_support(
            gold_N, predicted_N, labels=range(classes), zero_division=0.0
        )
        assert list(scores) == labels
        for score, *columns in zip(scores.values(), *expected, strict=True):
            said = (score.precision, score.recall, score.f1, score.support)
            assert said == pytest.approx(tuple(columns))


def test_confusion_has_gold_in_rows():
    assert confusion([0, 0, 1, 1], [0, 2, 1, 2], 4) == [
        [1, 0, 1, 0],
        [0, 1, 1, 0],
        [0, 0, 0, 0],
        [0, 0, 0, 0],
    ]


@pytest.mark.parametrize("labels", [1, 2, 5])
def test_labels_score_as_in_scikit_learn(labels):
    random_state = np.random.default_rng(0)
    for _ in range(100):
        shape = (random_state.integers(1, 12), labels)
        gold_NC = random_state.random(shape) < random_state.random()
        predicted_NC = random_state.random(shape) < random_state.random()
        names = [f"label {number}" for number in range(labels)]
        scores = multilabel(gold_NC, predicted_NC, names)

        each = [
            sklearn_metrics.f1_score(gold_N, predicted_N, zero_division=0.0)
            for gold_N, predicted_N in zip(gold_NC.T, predicted_NC.T, strict=True)
        ]
        micro = sklearn_metrics.f1_score(gold_NC.ravel(), predicted_NC.ravel(), zero_division=0.0)
        assert [score.f1 for score in scores.per_label.values()] == pytest.approx(each)
        assert scores.micro_f1 == pytest.approx(micro)
        assert scores.macro_f1 == pytest.approx(np.mean(each))
        assert scores.exact_match == pytest.approx(
            sklearn_metrics.accuracy_score(gold_NC, predicted_NC)
        )
        if labels > 1:  # scikit-learn takes one column for the numbers of two classes
            averages = [
                sklearn_metrics.f1_score(gold_NC, predicted_NC, average=kind, zero_division=0.0)
                for kind in ("micro", "macro")
            ]
            assert [scores.micro_f1, scores.macro_f1] == pytest.approx(averages)


def _cases():
    """Pairs of arrays of classes, many of them with a class that only one or neither has."""
    draw = random.Random(0)
    for _ in range(CASES):
        classes, examples = draw.randint(2, 5), draw.randint(1, 30)
        pools = [draw.sample(range(classes), draw.randint(1, classes)) for _ in range(2)]
        gold, predicted = (draw.choices(pool, k=examples) for pool in pools)
        yield np.array(gold), np.array(predicted), classes
