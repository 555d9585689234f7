"""The fast way to encode lines against tokenizers, on all of Unicode and on real text."""

import functools
import gzip
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from unmask.tokenizer import fast, imports
from unmask.tokenizer.build import byte_level_bpe
from unmask.tokenizer.family import ROBERTA
from unmask.tokenizer.fast import line_encoder

CHARACTERS = [chr(code) for codes in fast.INHABITED for code in codes if code not in (0, 10)]
LOWEST = CHARACTERS[:0x3100]
"""All white space is among these."""

ALPHABET = [chr(code) for code in sorted(fast.BYTE_OF, key=fast.BYTE_OF.__getitem__)]
NEIGHBOURS = ["a", "1", "!", "Ġ", "'", "ĉ"]
"""A letter, a number, a sign, a space, an apostrophe, a tab: what a character may go with."""

NASTY = [
    "  leading, trailing and   many spaces   ",
    "tabs\tand\t\t\ttabs, returns\r and\r\r\n".strip("\n"),
    "family 👩‍👩‍👧‍👦 flag 🏳️‍🌈 skin 👍🏽",
    "e\u0301 is é, Z̷̡̛a̶l̵g̸o̵, Å and Å",
    "مرحبا بالعالم \u202eשלום\u202c",
    "中文字符与English混排，日本語のテキスト 한국어",
    "control \x01\x07\x1b[0m\x7f\x85 and \ufeff\u200b\ufffd",
    "no\u00a0break\u202fspaces\u3000wide\u2028lines  \u2028\u3000 \u00a0 x",
    "\u200b zero, \u180e Mongol, \x1c\x1d\x1e\x1f separators \x1c \x1fa",
    "<s>bold</s> <pad><unk>a <mask> b<mask>c",
    "don't we'll I'VE they're he'd I'm we've it's 'tis 'S ''re 1234567 3.14e-10 $£€ ½²Ⅷ",
    "def f(x):    return  [  x**2 for x in range( 10 ) ]  # the   end",
    "\t" * 300 + "x" + " " * 300 + "\u3000" * 300 + "1",
    "\U0010ffff\ue000\ufffe \U0010ffff",
    " ",
    "\u3000",
    "",
]


def assert_same(encoder, lines):
    assert fast.MARK not in "".join(lines), "with the mark all lines go the slow way"
    found, expected = encoder(lines), encoder.each.otherwise(lines)
    if found.ids_T.tolist() == expected.ids_T.tolist():
        assert found.lengths_N.tolist() == expected.lengths_N.tolist()
        return
    alone = [
        [way([line]).ids_T.tolist() for way in (encoder, encoder.each.otherwise)] for line in lines
    ]
    wrong = [line for line, (ours, theirs) in zip(lines, alone, strict=True) if ours != theirs]
    raise AssertionError(f"{wrong[:3]}" if wrong else "lines have an effect on their neighbours")


@functools.cache
def telltale():
    """Every neighbour merges with every byte: where a pre-token ends shows in the ids."""
    merges = [(left, right) for left in NEIGHBOURS for right in ALPHABET]
    merges += [(left, right) for left in ALPHABET for right in NEIGHBOURS if left not in NEIGHBOURS]
    merged = [left + right for left, right in merges]
    tokens = [*ROBERTA.specials[:-1], *ALPHABET, *merged, ROBERTA.mask]
    encoder = line_encoder(byte_level_bpe({t: id_ for id_, t in enumerate(tokens)}, merges))
    assert encoder.name == "tiktoken"
    return encoder


@functools.cache
def roberta(shared_data):
    return line_encoder(imports.read(imports.find(shared_data / "bpe/roberta")))


@pytest.mark.parametrize("between", ["a", "1", "!"], ids=["letter", "number", "sign"])
def test_every_character_is_of_the_same_kind(between):
    lines = [between.join(CHARACTERS[i : i + 256]) for i in range(0, len(CHARACTERS), 255)]

    assert_same(telltale(), lines)


@pytest.mark.parametrize("between", ["", " ", "  ", "\t", " \t", "' ", "'s", "\u3000"])
def test_white_space_goes_with_the_same_neighbours(between):
    lines = [between.join(LOWEST[i : i + 256]) for i in range(0, len(LOWEST), 255)]

    assert_same(telltale(), lines)


@pytest.mark.parametrize("line", ["{}", "{} a", "a {}", "{}{}  {}a", "  {}"])
def test_what_stands_at_the_ends_of_a_line_stays_in_it(line):
    assert_same(telltale(), [line.replace("{}", character) for character in LOWEST])


ANY = st.characters(exclude_categories=["Cs"], exclude_characters="\0\n")
PIECES = st.sampled_from([" ", "  ", "\t", "\u3000", "\x85", "\x1c", "'s", "' ", "a", "1", "é猫"])


@settings(deadline=None)
@given(st.lists(st.lists(PIECES | ANY, max_size=12).map("".join), max_size=8))
@example(NASTY)
def test_any_lines_have_the_same_ids(lines):
    assert_same(telltale(), lines)


@settings(deadline=None)
@given(st.lists(st.text(ANY, max_size=30), max_size=8))
@example(NASTY)
def test_any_lines_have_the_same_ids_in_robertas_vocabulary(shared_data, lines):
    assert_same(roberta(shared_data), lines)


def test_robertas_vocabulary_goes_the_fast_way(shared_data):
    assert roberta(shared_data).name == "tiktoken"


@pytest.mark.parametrize("name", ["wiki_en", "wiki_zh"])
def test_wikipedia_has_the_same_ids(shared_data, name):
    with gzip.open(shared_data / name / "valid.txt.gz", "rt", encoding="utf-8") as file:
        text = file.read(200_000)
    lines = [stripped for line in text.split("\n") if (stripped := line.strip())]

    assert_same(roberta(shared_data), lines)


def test_code_has_the_same_ids(shared_data):
    lines = Path(fast.__file__).read_text().split("\n")

    assert_same(roberta(shared_data), [*lines, *(line.strip() for line in lines)])


@pytest.mark.parametrize("text", ["a", "ab", "猫", "-", "7", "  ", "\t ", "é'"])
def test_a_line_without_words_takes_no_quadratic_time(shared_data, text):
    assert_same(roberta(shared_data), [text * 30_000, text * 30_001 + "x"])
