import pytest

from unmask.core.errors import UserError
from unmask.tokenizer import learn as module
from unmask.tokenizer import pairs
from unmask.tokenizer.byte_letters import LETTERS
from unmask.tokenizer.learn import learn
from unmask.tokenizer.words import Words

SPECIALS = ["<s>"]
BASE = len(SPECIALS) + 256


def merges(counts, number=99, least=2):
    words = Words.of({word.encode(): count for word, count in counts.items()})
    return learn(words, SPECIALS, BASE + number, least=least).merges


def test_the_most_frequent_pair_comes_first_and_lower_ids_break_ties():
    assert merges({"cd": 5, "ab": 5, "xy": 6}) == [("x", "y"), ("a", "b"), ("c", "d")]


def test_a_pair_counts_as_often_as_its_word():
    assert merges({"abab": 2, "cd": 3}, 1) == [("a", "b")]
    assert merges({"abab": 2, "cd": 5}, 1) == [("c", "d")]


def test_merges_build_on_merges():
    assert merges({"abc": 4, "xab": 3}) == [("a", "b"), ("ab", "c"), ("x", "ab")]


def test_of_overlapping_pairs_the_left_one_is_merged():
    assert merges({"aaaaa": 3, "aaa": 2}) == [("a", "a"), ("aa", "a"), ("aa", "aaa")]


def test_words_seen_too_rarely_are_not_learnt():
    assert merges({"ab": 2, "cd": 1}) == [("a", "b")]
    assert merges({"ab": 2, "cd": 1}, least=1) == [("a", "b"), ("c", "d")]


def test_tokens_are_specials_bytes_and_merges():
    learnt = learn(Words.of({b"ab": 2}), SPECIALS, BASE + 9, least=2)

    assert learnt.tokens == ["<s>", *sorted(LETTERS), "ab"]


@pytest.mark.parametrize("counts", [{}, {"a": 9}])
def test_where_there_are_no_pairs_nothing_is_merged(counts):
    assert merges(counts) == []


@pytest.mark.parametrize("many", [2**31 - 3, 2**31, 2**32, 2**32 + 7, 2**40])
def test_a_word_seen_billions_of_times_is_merged_first(many):
    counts = {"the": many, "xy": 1000, "xyz": 500, "thin": 900}

    assert merges(counts, 3) == [("t", "h"), ("th", "e"), ("x", "y")]


def test_a_pair_that_only_words_together_bring_beyond_32_bits_is_merged_first():
    counts = {f"th{letter}": 2**30 for letter in "abcdefgh"} | {"xy": 2**32}

    assert merges(counts, 2) == [("t", "h"), ("x", "y")]


def test_counts_that_64_bits_cannot_hold_are_refused():
    assert merges({"ab": 2**60}) == [("a", "b")]
    with pytest.raises(UserError, match=r"counts are too large: .* exceed 2\*\*62"):
        merges({"ab": 2**61, "cd": 2**61 + 2**60})


def test_slices_and_floors_change_nothing(monkeypatch):
    counts = {f"{a}{b}{c}{a}{b}": 3 + len({a, b, c}) for a in "abc" for b in "abd" for c in "ace"}
    expected = merges(counts)

    monkeypatch.setattr(module, "_SLICE_WORDS", 2)
    monkeypatch.setattr(pairs, "_NARROWING", 1 << 62)
    assert merges(counts) == expected
    assert len(expected) > 20
