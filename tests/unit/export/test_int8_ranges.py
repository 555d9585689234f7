"""From what was seen to a range, a step and the number that stands for 0."""

import numpy as np
import pytest
import torch

from unmask.core.errors import UserError
from unmask.export.int8.histogram import Histogram
from unmask.export.int8.observed import Observed
from unmask.export.int8.ranges import MOST, limits, step


def seen(*values):
    return Observed.empty(1).added(torch.tensor(values, dtype=torch.float32)[:, None])


@pytest.mark.parametrize(
    ("low", "high", "zero"),
    [
        (-1, 1.2, 116),
        (0, 3, 0),
        (-3, 0, 255),
        (-0.17, 12, 4),
        (-1e-20, 2e-20, 85),
        (-1e20, 3e20, 64),
    ],
)
def test_a_range_is_covered_and_zero_is_exact(low, high, zero):
    scale, found = step(low, high)

    assert (found, type(found)) == (zero, int)
    assert scale == np.float32(scale) == pytest.approx((high - low) / MOST, rel=1e-6)
    # Where 0 is rounded to a number, one end moves out by half a step at most, the other one in.
    assert -found * scale == pytest.approx(low, abs=scale * 0.51)
    assert (MOST - found) * scale == pytest.approx(high, abs=scale * 0.51)


@pytest.mark.parametrize(("low", "high"), [(5, 5), (2, 5), (-5, -5), (-5, -2)])
def test_a_range_beside_zero_is_widened_up_to_it(low, high):
    assert step(low, high) == step(min(low, 0), max(high, 0))


@pytest.mark.parametrize("size", [0.0, 1e-45])
def test_a_range_of_nothing_but_zero_is_widened(size):
    scale, zero = step(-0.0, size)

    assert scale == np.float32(2 / 255)
    assert zero in (127, 128)


@pytest.mark.parametrize("value", [3.0, -3.0, 0.3, 0.0])
def test_one_value_is_its_own_range(method, value):
    low, high = limits(seen(value, value, value), method)

    assert low == high == np.float32(value)


def test_no_range_is_wider_than_what_was_seen(method):
    values = np.random.default_rng(0).normal(size=5000) - 1

    low, high = limits(seen(*values), method)

    assert np.float32(values.min()) <= low < high <= np.float32(values.max())


def test_a_percentile_leaves_out_as_many_on_either_side():
    values = np.arange(-500, 500) / 100

    low, high = limits(seen(*values), "percentile", 98)

    assert low == pytest.approx(-4.9, abs=2e-3)
    assert high == pytest.approx(4.89, abs=2e-3)


def test_a_percentile_of_few_numbers_leaves_out_none():
    assert limits(seen(-7, *np.zeros(100), 5), "percentile") == (-7, 5)


@pytest.mark.parametrize("percentile", [0.99999, 50, 100.1, -1])
def test_a_percentile_that_is_a_share_is_told(percentile):
    with pytest.raises(UserError) as error:
        limits(seen(1, 2), "percentile", percentile)

    assert error.value.what.startswith(f"a percentile of {percentile:g}: it is the share")
    assert error.value.hint == "give one above 50 and up to 100, such as 99.999"


@pytest.mark.parametrize("side", [-1, 1])
def test_the_least_error_cuts_one_number_off_that_costs_all_others(side):
    """Rounding loses scale^2 / 12 a number: a million of them outweigh the one."""
    counts_N = Histogram.empty().counts_N.copy()
    counts_N[4096 - 64 : 4096 + 64] = 10**6  # from -0.5 to 0.5
    counts_N[0 if side < 0 else -1] = 1  # at 32
    ends = np.array([min(32 * side, -0.5), max(32 * side, 0.5)], np.float32)
    observed = Observed(1, ends[:1], ends[1:], Histogram(32.0, counts_N), None, None)

    low, high = limits(observed, "mse")

    assert (low, high)[side > 0] == pytest.approx(side * 0.7, rel=0.5)
    assert (low, high)[side < 0] == pytest.approx(-side * 0.5, rel=0.1)


def test_the_least_error_keeps_far_numbers_that_are_many():
    values = [*np.random.default_rng(0).normal(size=500), *[20.0] * 100]

    assert limits(seen(*values), "mse")[1] == pytest.approx(20, rel=0.01)
