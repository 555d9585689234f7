import unicodedata
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from unmask.inspect.spelling import TIE, parted, spell, visible
from unmask.tokenizer.fast import BYTE_OF

LETTER_OF = {byte: chr(code) for code, byte in BYTE_OF.items()}


def token(data):
    return "".join(LETTER_OF[byte] for byte in data)


def cut(data, places):
    edges = sorted({0, len(data), *(place % (len(data) + 1) for place in places)})
    return [data[start:end] for start, end in pairwise(edges)]


@given(st.text(min_size=1), st.lists(st.integers(0, 1000)))
def test_tokens_spell_their_text_wherever_it_is_cut(text, places):
    pieces = cut(text.encode(), places)

    spelt = spell([token(piece) for piece in pieces], "roberta")

    assert len(spelt) == len(pieces)
    assert "".join(spelt).replace(TIE, "") == visible(text).replace(TIE, "")
    assert all(spelt)


@given(st.binary(min_size=1), st.lists(st.integers(0, 1000)))
def test_any_bytes_have_a_spelling(data, places):
    spelt = spell([token(piece) for piece in cut(data, places)], "roberta")

    assert all(spelt)


def test_a_character_stands_at_its_first_byte_and_the_others_are_tied_to_it():
    tokens = [token(bytes([byte])) for byte in " 猫é".encode()]

    assert spell(tokens, "roberta") == [" ", "猫", TIE, TIE, "é", TIE]
    assert spell([token("猫a".encode()[:2]), token("猫a".encode()[2:])], "roberta") == [
        "猫",
        TIE + "a",
    ]


def test_a_byte_of_no_character_stands_as_its_number():
    assert spell([token(b"\xe7"), "Ġa"], "roberta") == ["\\xE7", " a"]
    assert spell([token(b"\x8c\xab")], "roberta") == ["\\x8C\\xAB"]


def test_special_and_added_tokens_stand_as_they_are():
    assert spell(["<s>", "<mask>", "a b"], "roberta") == ["<s>", "<mask>", "a b"]


def test_word_pieces_are_parted_and_keep_their_mark():
    assert spell(["[CLS]", "play", "##ing"], "bert") == [" [CLS]", " play", " ##ing"]


@pytest.mark.parametrize(
    "character", ["\x1b", "\n", "\x9b", "\u202e", "\u2066", "\u2028", "\ud800"]
)
def test_nothing_moves_the_cursor_or_turns_the_line_around(character):
    assert visible(character) == f"\\u{ord(character):04X}"


@given(st.text())
def test_what_is_visible_is_printed_as_it_is(text):
    shown = visible(text)

    assert not any(unicodedata.category(character) in ("Cc", "Cs") for character in shown)
    assert visible("žluťoučký кот 猫 عربى \u200c€") == "žluťoučký кот 猫 عربى \u200c€"


def test_the_space_in_front_is_parted_and_spaces_alone_can_be_seen():
    assert parted(" a b") == (" ", "a b")
    assert parted("a") == ("", "a")
    assert parted("  ") == ("", "␣␣")
