import hashlib

from hypothesis import given
from hypothesis import strategies as st

from unmask.corpus.split import fingerprint, side

FRACTIONS = st.floats(0, 1, exclude_max=True)


def test_the_fingerprint_is_the_sha256_of_the_text():
    assert fingerprint("café").hex() == hashlib.sha256("café".encode()).hexdigest()


def test_the_split_of_a_text_is_fixed_for_ever():
    sides = "".join(side(fingerprint(f"document {i}"), 0.3)[0] for i in range(24))

    assert sides == "ttvttvvtvtttvtttvttvtttt"


@given(st.text(st.characters(exclude_categories=["Cs"])), FRACTIONS, FRACTIONS)
def test_a_larger_fraction_never_moves_a_document_back_to_train(text, one, other):
    digest, (small, large) = fingerprint(text), sorted((one, other))

    assert side(digest, small) == "train" or side(digest, large) == "valid"


def test_the_share_of_valid_is_the_fraction():
    valid = sum(side(fingerprint(str(i)), 0.1) == "valid" for i in range(10_000))

    assert abs(valid - 1000) < 4 * 30  # four standard deviations of Binomial(10000, 0.1)


def test_nothing_is_held_out_at_fraction_zero():
    assert side(bytes(32), 0.0) == "train"
    assert side(bytes(32), 1e-9) == "valid"
