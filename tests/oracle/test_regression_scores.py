"""Correlations against scipy and against their definitions."""

import math

import numpy as np
import pytest
from scipy import stats

from unmask.finetune.metrics.regression import regression


def test_correlations_are_those_of_scipy_with_and_without_ties():
    draw = np.random.default_rng(0)
    for number in range(500):
        size = int(draw.integers(3, 40))
        gold_N, predicted_N = draw.normal(size=(2, size)) * 10.0 ** draw.integers(-6, 7)
        if number % 2:  # ties, as STS-B's scores of a few digits have them
            gold_N, predicted_N = gold_N.round(1), predicted_N.round(0)
        if np.ptp(gold_N) == 0 or np.ptp(predicted_N) == 0:
            continue

        scores = regression(gold_N, predicted_N)

        pearson = stats.linregress(gold_N, predicted_N).rvalue
        ranks = stats.rankdata(gold_N), stats.rankdata(predicted_N)
        spearman = stats.linregress(*ranks).rvalue
        squares = [(g - p) ** 2 for g, p in zip(gold_N, predicted_N, strict=True)]
        assert scores == pytest.approx(
            {
                "pearson": pearson,
                "spearmanr": spearman,
                "combined": (pearson + spearman) / 2,
                "mse": math.fsum(squares) / size,
            }
        )


def test_correlations_by_hand():
    scores = regression([1.0, 2.0, 3.0, 4.0], [1.0, 4.0, 9.0, 8.0])

    # deviations -1.5 -0.5 0.5 1.5 and -4.5 -1.5 3.5 2.5; ranks 1 2 3 4 and 1 2 4 3
    assert scores["pearson"] == pytest.approx(13 / math.sqrt(5 * 41))
    assert scores["spearmanr"] == pytest.approx(0.8)
    assert scores["mse"] == pytest.approx((0 + 4 + 36 + 16) / 4)
