import hashlib

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from unmask.corpus.split import are_valid, fingerprint

FRACTIONS = st.floats(0, 1, exclude_max=True)


def valid(texts, fraction):
    draws = [int.from_bytes(fingerprint(text)[-8:], "big") for text in texts]
    return are_valid(np.array(draws, np.uint64), fraction)


def test_the_fingerprint_is_the_sha256_of_the_text():
    assert fingerprint("café").hex() == hashlib.sha256("café".encode()).hexdigest()


def test_the_split_of_a_text_is_fixed_for_ever():
    sides = valid([f"document {i}" for i in range(24)], 0.3)

    assert "".join("tv"[int(side)] for side in sides) == "ttvttvvtvtttvtttvttvtttt"


@given(st.integers(0, 2**64 - 1), FRACTIONS)
def test_the_draw_is_compared_without_rounding_of_its_own(draw, fraction):
    assert are_valid(np.array([draw], np.uint64), fraction)[0] == (draw / 2**64 < fraction)


@given(st.text(st.characters(exclude_categories=["Cs"])), FRACTIONS, FRACTIONS)
def test_a_larger_fraction_never_moves_a_document_back_to_train(text, one, other):
    small, large = sorted((one, other))

    assert valid([text], small)[0] <= valid([text], large)[0]


def test_the_share_of_valid_is_the_fraction():
    count = valid([str(i) for i in range(10_000)], 0.1).sum()

    assert abs(count - 1000) < 4 * 30  # four standard deviations of Binomial(10000, 0.1)


def test_nothing_is_held_out_at_fraction_zero():
    lowest = np.zeros(1, np.uint64)

    assert not are_valid(lowest, 0.0)
    assert are_valid(lowest, 1e-9)
