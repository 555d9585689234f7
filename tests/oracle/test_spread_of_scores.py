"""Intervals over seeds and over examples against scipy and statistics."""

import statistics

import numpy as np
import pytest
from scipy import stats

from unmask.finetune.metrics.spread import paired_bootstrap, spread


@pytest.mark.parametrize("runs", [2, 5, 6, 20])
def test_the_interval_over_seeds_is_students(runs):
    draw = np.random.default_rng(runs)
    for _ in range(50):
        scores = draw.normal(0.8, 0.02, runs).tolist()

        found = spread(scores)

        low, high = stats.t.interval(
            0.95, df=runs - 1, loc=np.mean(scores), scale=stats.sem(scores)
        )
        assert (found.low, found.high) == pytest.approx((low, high))
        assert found.median == pytest.approx(statistics.median(scores))
        assert found.mean == pytest.approx(statistics.fmean(scores))
        assert (found.minimum, found.maximum) == (min(scores), max(scores))


def test_the_interval_over_seeds_holds_the_truth_19_times_of_20():
    draw = np.random.default_rng(0)
    held = [
        found.low < 0.8 < found.high
        for found in (spread(draw.normal(0.8, 0.05, 5).tolist()) for _ in range(2000))
    ]

    assert np.mean(held) == pytest.approx(0.95, abs=0.015)


def test_the_interval_over_examples_is_that_of_scipys_bootstrap():
    draw = np.random.default_rng(0)
    first_N, second_N = draw.random(300) < 0.85, draw.random(300) < 0.78

    found = paired_bootstrap(first_N, second_N)

    oracle = stats.bootstrap(
        (first_N.astype(float) - second_N,), np.mean, method="percentile", n_resamples=10_000, rng=1
    ).confidence_interval
    assert (found.low, found.high) == pytest.approx((oracle.low, oracle.high), abs=0.005)
    assert found.difference == pytest.approx(first_N.mean() - second_N.mean())


def test_the_p_value_is_near_that_of_a_paired_t_test():
    draw = np.random.default_rng(2)
    for shift in (0.0, 0.1, 0.2):
        first_N = draw.normal(shift, 1.0, 200)
        second_N = draw.normal(0.0, 1.0, 200)

        found = paired_bootstrap(first_N, second_N)

        gain_N = first_N - second_N
        p_value = 2 * stats.t.sf(abs(gain_N.mean() / stats.sem(gain_N)), df=199)
        assert found.p_value == pytest.approx(p_value, abs=0.02)
