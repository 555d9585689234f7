import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from unmask.report import scale


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (0, "0"),
        (2.16874, "2.169"),
        (12345.6, "12,346"),
        (999.95, "1,000"),
        (6e-4, "6e-4"),
        (1.2345e-5, "1.234e-5"),
        (0.5, "0.5"),
        (100, "100"),
        (-3.5, "-3.5"),
        (1e20, "1e20"),
    ],
)
def test_numbers_have_four_digits_that_count(value, words):
    assert scale.said(value) == words


@given(st.floats(-1e12, 1e12).filter(lambda value: abs(value) > 1e-9))
def test_what_is_said_is_near_the_number(value):
    assert math.isclose(float(scale.said(value).replace(",", "")), value, rel_tol=1e-3)


@pytest.mark.parametrize(
    ("value", "words"), [(20_000, "20k"), (1.5e6, "1.5M"), (460.8e6, "460.8M"), (0.1 + 0.2, "0.3")]
)
def test_labels_are_short(value, words):
    assert scale.short(value) == words


@given(st.floats(-1e9, 1e9), st.floats(0, 1e9))
def test_a_ruler_holds_its_values_and_few_labels(low, spread):
    found = scale.linear(low, low + spread)

    assert found.low <= low + 1e-6 * (spread + 1)
    assert found.high >= low + spread - 1e-6 * (spread + 1)
    assert 2 <= len(found.ticks) <= 8


@given(st.floats(1e-9, 1e9), st.floats(1, 1e12))
def test_a_slide_rule_holds_its_values_and_few_labels(low, times):
    found = scale.logarithmic(low, low * times)

    assert -1e-9 <= found.share(low) <= found.share(low * times) <= 1 + 1e-9
    assert 1 <= len(found.ticks) <= 8


def test_a_slide_rule_gives_every_power_of_ten_the_same_room():
    found = scale.logarithmic(1, 10_000)

    assert [found.share(value) for value in (1, 10, 100, 10_000)] == pytest.approx(
        [0, 0.25, 0.5, 1]
    )


@given(st.floats(0, 1e9), st.floats(0, 1e9))
def test_a_ruler_that_ends_with_the_values_has_labels_within(low, spread):
    found = scale.exact(low, low + spread)

    slack = 1e-6 * (spread + 1)
    assert all(found.low - slack <= tick <= found.high + slack for tick in found.ticks)
