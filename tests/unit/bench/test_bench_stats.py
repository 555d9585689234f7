"""Percentiles are numpy's, in milliseconds."""

import numpy as np
import pytest

from unmask.bench.stats import Spread, latencies


@pytest.mark.parametrize("count", [1, 2, 7, 100, 1001])
def test_percentiles_are_those_of_numpy(count):
    seconds = np.random.default_rng(count).lognormal(-4, 1, count)

    found = latencies(seconds)

    assert found["mean"] == pytest.approx(1000 * seconds.mean())
    for rank in (50, 90, 99):
        assert found[f"p{rank}"] == pytest.approx(1000 * np.percentile(seconds, rank))


def test_percentiles_of_a_hundred_known_values():
    found = latencies(np.arange(101) / 1000)

    assert found == pytest.approx({"mean": 50, "p50": 50, "p90": 90, "p99": 99})


def test_a_spread_is_the_median_and_the_range_of_the_rounds():
    assert Spread.of([3.0, 1.0, 10.0]) == Spread(3.0, 1.0, 10.0)
