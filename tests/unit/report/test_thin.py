import numpy as np
import pytest

from unmask.report.thin import COLUMNS, thinned

RNG = np.random.default_rng(3)


def test_few_points_all_stay_and_those_without_a_value_go():
    y = np.array([1.0, np.nan, 3.0, np.inf, 5.0])

    assert thinned(np.arange(5.0), y).tolist() == [0, 2, 4]
    assert thinned(np.arange(0.0), np.arange(0.0)).tolist() == []


@pytest.mark.parametrize("count", [4 * COLUMNS + 1, 100_000])
def test_many_points_keep_their_ends_and_extremes_in_order(count):
    x, y = np.sort(RNG.random(count)), RNG.standard_normal(count)
    y[count // 3], y[count // 2] = 1e6, -1e6

    kept = thinned(x, y)

    assert len(kept) <= 4 * COLUMNS
    assert (np.diff(kept) > 0).all()
    assert {0, count - 1, count // 3, count // 2} <= set(kept.tolist())


def test_every_column_of_the_picture_keeps_its_lowest_and_highest_value():
    x, y = np.arange(50_000.0), RNG.standard_normal(50_000)

    kept = thinned(x, y)

    column = np.minimum(x // (x[-1] / COLUMNS), COLUMNS - 1)
    for number in range(COLUMNS):
        here = column == number
        assert {y[here].min(), y[here].max()} <= set(y[kept][column[kept] == number])


def test_points_all_at_one_place_are_no_trouble():
    assert len(thinned(np.zeros(5_000), RNG.random(5_000))) <= 4
