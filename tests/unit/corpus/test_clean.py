import re
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from unmask.corpus.quality import clean as cleaning
from unmask.corpus.quality.clean import clean


@pytest.mark.parametrize(
    ("step", "dirty", "tidy"),
    [
        (cleaning.unify_line_ends, "a\r\nb\rc\n\rd", "a\nb\nc\n\nd"),
        (cleaning.unify_line_ends, "a\fb\vc\u2028d\u2029e\x85", "a\nb\nc\nd\ne\n"),
        (cleaning.replace_tabs, "a\tb", "a b"),
        (cleaning.drop_control_characters, "\ufeffa\x00b\x1bc\x7fd\x9fe\nf", "abcde\nf"),
        (cleaning.compose, "ole\u0301 \ufb01 ①", "ol\u00e9 \ufb01 ①"),
        (cleaning.strip_line_tails, "  a \nb\u3000\u00a0\n \n", "  a\nb\n\n"),
        (cleaning.collapse_blank_lines, "\n\na\n\n\n\nb\n\nc\nd\n", "a\n\nb\n\nc\nd"),
    ],
)  # fmt: skip
def test_each_step_does_its_one_thing(step, dirty, tidy):
    assert step(dirty) == tidy


@pytest.mark.parametrize(
    "text",
    [
        "می\u200cخواهم",  # Persian: the non-joiner is part of the spelling
        "क्\u200dष",  # Hindi: the joiner asks for another letter form
        "👩\u200d👩\u200d👧",  # one family
        "\u200fשלום\u200e",
        "a \u00a0 b",
    ],
)
def test_invisible_characters_that_carry_meaning_stay(text):
    assert clean(text) == text


def test_blank_lines_made_of_spaces_and_controls_are_blank():
    assert clean("a\n \t \n\x00\n\ufeff\nb") == "a\n\nb"


TEXTS = st.lists(
    st.sampled_from("ae \n\r\t\f\x85\u0301\ufeff\u2028\u3000\xa0\x9f\x00")
    | st.characters(exclude_categories=["Cs"])
).map("".join)
"""Hypothesis would draw next to none of the first from the alphabet of a `text`."""


@given(TEXTS)
def test_a_clean_text_is_composed_has_no_controls_and_stays_as_it_is(text):
    result = clean(text)

    assert clean(result) == result
    assert unicodedata.is_normalized("NFC", result)
    assert not any(unicodedata.category(letter) == "Cc" for letter in result.replace("\n", ""))
    assert result.splitlines() == (result.split("\n") if result else [])


@given(TEXTS)
def test_no_shortcut_changes_a_result(text):
    """Each step with all of its rules spelt out, for every text."""
    lines = re.sub("\r\n|[\r\v\f\x85\u2028\u2029]", "\n", text).replace("\t", " ").split("\n")
    printable = "\n".join(
        "".join(x for x in line if unicodedata.category(x) != "Cc" and x != "\ufeff")
        for line in lines
    )
    stripped = [line.rstrip() for line in unicodedata.normalize("NFC", printable).split("\n")]

    assert clean(text) == re.sub("\n{3,}", "\n\n", "\n".join(stripped)).strip("\n")


def test_half_a_surrogate_pair_passes_through_to_be_found_later():
    assert clean("a\ud800 \n") == "a\ud800"
