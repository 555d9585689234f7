"""What is kept of a layer's inputs: counts that are exact, and rows drawn evenly."""

import numpy as np
import pytest
import torch

from unmask.export.int8.histogram import BINS, Histogram
from unmask.export.int8.observed import SAMPLE, Observed


def numbers(count, size=1.0, seed=0):
    return torch.from_numpy(np.random.default_rng(seed).normal(size=count) * size).float()


def counted(*parts):
    histogram = Histogram.empty()
    for part in parts:
        histogram = histogram.added(part)
    return histogram


def same(one, other):
    assert one.top == other.top
    np.testing.assert_array_equal(one.counts_N, other.counts_N)


@pytest.mark.parametrize("size", [1e-20, 0.3, 1.0, 7.0, 1e20])
def test_counts_are_those_of_numpy(size):
    values = numbers(5000, size)

    histogram = counted(values)

    assert histogram.top / 2 < values.abs().max() <= histogram.top
    expected_N, edges_N1 = np.histogram(
        values.double().numpy(), BINS, (-histogram.top, histogram.top)
    )
    np.testing.assert_array_equal(histogram.counts_N, expected_N)
    np.testing.assert_array_equal(histogram.edges_N1, edges_N1)


@pytest.mark.parametrize("order", [(0, 1, 2, 3), (3, 1, 0, 2), (2, 3, 1, 0)])
def test_the_order_of_batches_does_not_matter_at_all(order):
    parts = [
        numbers(300),
        torch.zeros(50),
        numbers(300, 1000, seed=1),
        numbers(300, 0.01, seed=2) - 0.02,
    ]

    same(counted(*(parts[number] for number in order)), counted(torch.cat(parts)))


@pytest.mark.parametrize("size", [1.0, 0.5, 64.0])
def test_a_power_of_two_lies_in_the_outermost_bins(size):
    histogram = counted(torch.tensor([-size, size, size]))

    assert histogram.top == size
    assert (histogram.counts_N[0], histogram.counts_N[-1]) == (1, 2)


def test_nothing_but_zeros_has_no_range_yet():
    histogram = counted(torch.zeros(3, 5))

    assert histogram.top == 0
    assert histogram.counts_N.sum() == 15
    same(histogram.added(torch.tensor([1.0])), counted(torch.tensor([1.0] + [0.0] * 15)))


def test_no_numbers_change_nothing():
    same(counted(numbers(10), torch.zeros(0)), counted(numbers(10)))


def test_numbers_too_small_for_a_bin_are_counted_at_zero():
    histogram = counted(torch.tensor([1e-40, -1e-40, 0.0]))

    middle = BINS // 2
    assert histogram.counts_N[middle - 1 : middle + 1].tolist() == [1, 2]


def test_fewer_bins_hold_the_same():
    histogram = counted(numbers(1000))

    coarse = histogram.coarse(16)

    expected_N, edges_N1 = np.histogram(histogram.edges_N1[:-1], 16, weights=histogram.counts_N)
    np.testing.assert_array_equal(coarse.counts_N, expected_N)
    np.testing.assert_allclose(coarse.edges_N1[:-1], edges_N1[:-1], atol=1e-3)


def rows(count, width=6, seed=0):
    dice = np.random.default_rng(seed)
    return torch.from_numpy(dice.normal(size=(count, width)) * np.arange(1, width + 1)).float()


def observed(*parts):
    seen = Observed.empty(parts[0].shape[1])
    for part in parts:
        seen = seen.added(part)
    return seen


def test_ranges_are_those_of_each_channel():
    values = rows(1000) + 2

    seen = observed(values[:300], values[300:])

    array = values.numpy()
    np.testing.assert_array_equal(seen.low_I, array.min(0))
    np.testing.assert_array_equal(seen.high_I, array.max(0))
    np.testing.assert_array_equal(seen.absmax_I, np.abs(array).max(0))
    assert (seen.rows, seen.low, seen.high) == (1000, array.min(), array.max())
    assert seen.histogram.counts_N.sum() == array.size


@pytest.mark.parametrize("cuts", [[1], [100, 101, 700], [512], [513, 1999]])
def test_how_rows_are_cut_into_batches_does_not_matter(cuts):
    values = rows(2000)

    seen, whole = observed(*torch.tensor_split(values, cuts)), observed(values)

    np.testing.assert_array_equal(seen.sample_SI, whole.sample_SI)
    np.testing.assert_array_equal(seen.lots_S, whole.lots_S)
    same(seen.histogram, whole.histogram)


def test_fewer_rows_than_a_sample_are_all_kept():
    values = rows(SAMPLE - 1)

    np.testing.assert_array_equal(observed(values, values[:0]).sample_SI, values.numpy())


@pytest.mark.parametrize("length", [2, 3, 55, 128, 144, 512])
def test_a_sample_is_drawn_from_all_places_of_texts_alike(length):
    """Each row says its place in its text and the number of its text."""
    texts = max(20 * SAMPLE // length, 30)
    place, text = torch.arange(texts * length) % length, torch.arange(texts * length) // length

    seen = observed(*torch.stack([place, text], 1).float().split(1000))

    assert seen.sample_SI.shape == (SAMPLE, 2)
    for values, most in zip(seen.sample_SI.T, (length - 1, texts - 1), strict=True):
        # Five standard errors of a mean of that many even draws.
        assert abs(values.mean() / most - 0.5) < 5 / np.sqrt(12 * SAMPLE) + 0.5 / most
        assert len(np.unique(values)) > 0.5 * min(SAMPLE, most + 1)


def test_a_migrated_input_is_what_would_have_been_seen():
    values = rows(300)
    migration_I = np.array([0.5, 1, 2, 4, 0.25, 8], np.float32)

    found = observed(values).migrated(migration_I)

    expected = observed(values / torch.from_numpy(migration_I))
    for name in ("low_I", "high_I", "sample_SI", "lots_S"):
        np.testing.assert_array_equal(getattr(found, name), getattr(expected, name))
    same(found.histogram, expected.histogram)
    assert found.rows == 300


def test_a_migrated_range_counts_rows_that_are_not_in_the_sample():
    values = rows(5000)

    found = observed(values).migrated(np.full(6, 2, np.float32))

    assert (found.low, found.high) == (float(values.min()) / 2, float(values.max()) / 2)
    assert found.histogram.counts_N.sum() == SAMPLE * 6
