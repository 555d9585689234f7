import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from unmask.core.hashing import GOLDEN, below, draw, draw_one, mix, stream, within

# The first outputs of SplitMix64 seeded with 1234567, as published with its reference code.
SPLITMIX64 = [6457827717110365317, 3203168211198807973, 9817491932198370423, 4593380528125082431]


def test_draws_are_splitmix64():
    drawn = draw(1234567, np.arange(4))

    assert drawn.view(np.uint64).tolist() == SPLITMIX64


def test_numpy_and_torch_draw_the_same_integers():
    keys = draw(stream("test", 7, 1), np.arange(50))
    indices = np.arange(300)

    by_numpy = draw(keys[:, None], indices)
    by_torch = draw(torch.from_numpy(keys)[:, None], torch.from_numpy(indices))

    assert (by_numpy == by_torch.numpy()).all()
    assert (within(by_numpy, 0.8) == within(by_torch, 0.8).numpy()).all()
    assert (below(by_numpy, 50260) == below(by_torch, 50260).numpy()).all()


@pytest.mark.parametrize("share", [0.0, 1.0])
def test_numpy_and_torch_agree_on_never_and_always(share):
    bits = np.array([0, 1, -1, (1 << 63) - 1, -(1 << 63)])

    assert within(bits, share).tolist() == [bool(share)] * 5
    assert within(torch.from_numpy(bits), share).tolist() == [bool(share)] * 5


def test_the_upper_bits_are_final_before_the_last_step():
    states = (np.arange(1000) * GOLDEN + (1234567 + GOLDEN)).view(np.uint64)

    mix(states, np.empty_like(states))

    assert ((states >> 33) == (draw(1234567, np.arange(1000)).view(np.uint64) >> 33)).all()


def test_a_single_draw_needs_no_axis():
    assert draw(1234567, np.array(0)).view(np.uint64) == SPLITMIX64[0]
    assert draw(np.array([1234567]), np.arange(2).reshape(2, 1)).shape == (2, 1)


def test_the_largest_keys_wrap_like_unsigned_addition():
    for key in (-(1 << 63), (1 << 63) - 1, -1, 0):
        expected = draw(np.array([key]), np.arange(3))

        assert (draw(key, np.arange(3)) == expected).all()


def test_streams_differ_by_purpose_and_by_every_index():
    keys = [stream("mask", 0, 1), stream("mask", 1, 0), stream("action", 0, 1), stream("mask", 0)]

    assert len(set(keys)) == 4


@pytest.mark.parametrize("share", [0.0, 0.1, 0.5, 0.9, 1.0])
def test_a_share_of_the_draws_falls_within_it(share):
    found = within(draw(3, np.arange(100_000)), share).mean()

    assert abs(found - share) < 0.007  # four standard deviations


def test_numbers_below_a_bound_stay_below_it():
    numbers = below(draw(3, np.arange(10_000)), 7)

    assert set(numbers.tolist()) == set(range(7))


@given(st.integers(-(1 << 63), (1 << 63) - 1), st.integers(-(1 << 63), (1 << 63) - 1))
def test_one_draw_is_what_an_array_of_one_gives(key, index):
    assert draw_one(key, index) == draw(key, np.array([index]))[0]
