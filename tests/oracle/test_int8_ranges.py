"""Ranges against onnxruntime's own calibration, numpy's quantiles, and trying all cuts by hand."""

import contextlib
import io

import numpy as np
import pytest
import torch
from onnxruntime.quantization.calibrate import HistogramCollector

from unmask.export.int8.entropy import STEPS, least_divergence
from unmask.export.int8.histogram import BINS, Histogram
from unmask.export.int8.observed import Observed
from unmask.export.int8.ranges import BINS as COARSE_BINS
from unmask.export.int8.ranges import MOST, limits, step

COUNT = 60_020
"""No percentile below cuts off a whole number of these: where one did, rounding would decide."""


def draw(name):
    """Inputs as layers have them, (R, 20)."""
    dice = np.random.default_rng(0)
    normal = dice.normal(size=(COUNT // 20, 20))
    drawn = {
        "normal": normal,
        "after gelu": normal * 3 * (normal > 0) - 0.17 * (normal < 0) * dice.random(normal.shape),
        "one channel 40 times larger": normal * np.where(np.arange(20) == 7, 40, 1),
        "heavy tails": dice.standard_t(3, normal.shape),
        "all above 0": 5 + dice.random(normal.shape),
        "all below 0": -(normal**2) - 0.5,
    }
    return drawn[name].astype(np.float32)


NAMES = "normal; after gelu; one channel 40 times larger; heavy tails; all above 0; all below 0"
every_input = pytest.mark.parametrize("name", NAMES.split("; "))


def seen(values, parts=7):
    observed = Observed.empty(values.shape[1])
    for part in np.array_split(values, parts):
        observed = observed.added(torch.from_numpy(part))
    return observed


def collected(values, method, bins, percentile=99.999):
    """The range that onnxruntime's collector takes."""
    collector = HistogramCollector(
        method=method,
        symmetric=False,
        num_bins=bins,
        num_quantized_bins=STEPS,
        percentile=percentile,
        scenario="same",
    )
    with contextlib.redirect_stdout(io.StringIO()):
        collector.collect({"input": values})
        low, high = collector.compute_collection_result()["input"][:2]
    return float(low), float(high)


def bin_of(observed, bins):
    return 2 * observed.histogram.top / bins


@every_input
def test_min_max_is_that_of_numpy(name):
    values = draw(name)

    assert limits(seen(values), "min-max") == (values.min(), values.max())


@every_input
@pytest.mark.parametrize("percentile", [90, 99, 99.9, 99.99, 99.999, 100])
def test_percentiles_are_those_of_numpy_within_a_bin(name, percentile):
    values, observed = draw(name), seen(draw(name))
    cut = (100 - percentile) / 200

    low, high = limits(observed, "percentile", percentile)

    width = bin_of(observed, BINS)
    for ours, share, side in ((low, cut, "lower"), (high, 1 - cut, "higher")):
        assert ours == pytest.approx(np.quantile(values, share, method=side), abs=1.01 * width)
    assert (values < low).mean() <= cut
    assert (values > high).mean() <= cut


@every_input
@pytest.mark.parametrize("percentile", [99, 99.9, 99.99])
def test_percentiles_are_those_of_onnxruntime_within_two_bins(name, percentile):
    values, observed = draw(name), seen(draw(name))

    theirs = collected(values, "percentile", BINS, percentile)

    ours = limits(observed, "percentile", percentile)
    assert ours == pytest.approx(theirs, abs=2.01 * bin_of(observed, BINS))


@every_input
def test_entropy_cuts_where_onnxruntime_cuts(name):
    """Of the same bins: both start from the largest magnitude, which is a power of two here."""
    values = draw(name)
    values *= 8 / np.abs(values).max()
    observed = seen(values)
    assert observed.histogram.top == 8

    theirs = collected(values, "entropy", COARSE_BINS)

    ours = limits(observed, "entropy")
    assert ours == pytest.approx(theirs, abs=2.01 * bin_of(observed, COARSE_BINS))


@pytest.mark.parametrize("seed", range(20))
def test_entropy_cuts_small_histograms_where_onnxruntime_cuts(seed):
    """Of few bins with gaps, where bins that are left over decide now and then (seed 1)."""
    counts_N = (np.random.default_rng(seed).exponential(size=64) ** 3).astype(np.int64)
    histogram = Histogram(8.0, counts_N)
    collector = HistogramCollector("entropy", False, 64, 16, 100, "same")
    ends = np.float32(-8), np.float32(8)

    theirs = collector.get_entropy_threshold(
        (counts_N, histogram.edges_N1.astype(np.float32), *ends), 16
    )

    assert least_divergence(histogram, 16) == tuple(map(float, theirs))


def test_entropy_counts_the_steps_of_eight_bits():
    assert STEPS == MOST + 1


def squared_error(values, low, high):
    """Of rounding to 8 bits, spelt out."""
    scale, zero = step(low, high)
    ints = np.clip(np.round(values / scale) + zero, 0, MOST)
    return float((((ints - zero) * scale - values) ** 2).mean(dtype=np.float64))


@every_input
def test_mse_cuts_as_well_as_trying_all_cuts_of_the_raw_numbers(name):
    values = draw(name)[:1000]
    low, high = values.min(), values.max()
    shares = np.concatenate([np.linspace(0.05, 1, 39), 2.0 ** -np.arange(5, 10)])

    found = squared_error(values, *limits(seen(values), "mse"))

    tried = [squared_error(values, low * one, high * other) for one in shares for other in shares]
    assert found <= 1.02 * min(tried)
