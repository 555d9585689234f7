"""Calibration against the definitions and against scikit-learn."""

import numpy as np
import pytest
from sklearn.metrics import brier_score_loss

from unmask.finetune.metrics.calibration import calibration


def ece(probability_NC, gold_N, bins):
    """Guo et al. 2017, example by example; bin m is ((m - 1) / M, m / M]."""
    members = [[] for _ in range(bins)]
    for row_C, gold in zip(probability_NC.tolist(), gold_N.tolist(), strict=True):
        confidence = max(row_C)
        right = row_C.index(confidence) == gold
        edges = np.linspace(0, 1, bins + 1)
        for number in range(bins):
            if edges[number] < confidence <= edges[number + 1]:
                members[number].append((confidence, right))
    gaps = [
        len(one) * abs(np.mean([c for c, _ in one]) - np.mean([r for _, r in one]))
        for one in members
        if one
    ]
    return sum(gaps) / len(gold_N), [len(one) for one in members if one]


@pytest.mark.parametrize("classes", [2, 3, 7])
@pytest.mark.parametrize("bins", [1, 10, 15])
def test_error_and_brier_score_by_their_definitions(classes, bins):
    draw = np.random.default_rng(0)
    for examples in (1, 2, 17, 200):
        logits_NC = draw.normal(size=(examples, classes)) * draw.choice([0.0, 1.0, 30.0])
        probability_NC = np.exp(logits_NC) / np.exp(logits_NC).sum(axis=1, keepdims=True)
        gold_N = draw.integers(0, classes, examples)

        found = calibration(probability_NC, gold_N, bins)

        expected, counts = ece(probability_NC, gold_N, bins)
        assert found.ece == pytest.approx(expected)
        assert [one.count for one in found.bins] == counts
        if classes > 2:
            brier = brier_score_loss(gold_N, probability_NC, labels=range(classes))
            assert found.brier == pytest.approx(brier)
        else:  # of two classes scikit-learn counts one
            brier = brier_score_loss(gold_N, probability_NC[:, 1], labels=[0, 1], pos_label=1)
            assert found.brier == pytest.approx(2 * brier)
