"""Words of texts, and the tokens of words."""

from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from unmask.finetune.entities import split
from unmask.finetune.entities.sentence import Sentence
from unmask.finetune.entities.tokens import Tokens
from unmask.finetune.entities.words import Words, joiner
from unmask.tokenizer.tokenizer import Tokenizer

from .conftest import tokenizer_of

LETTERS = st.characters(exclude_characters=" \t\n\r", exclude_categories=("Cs",))
ANY_WORD = st.text(
    st.one_of(st.sampled_from("Berlin'sé北京1.,-\u200b\x00\u0301\u3000\u00a0"), LETTERS), min_size=1
)
SENTENCES = st.lists(st.lists(ANY_WORD, min_size=1, max_size=6), max_size=4)


def tokens_of(words, tokenizer):
    """Tokens of each word, and the first one of these that is the word's."""
    tokens = Tokens.of(words, tokenizer)
    return [
        tokenizer.token(tokens.ids_D[first]) if first >= 0 else None for first in tokens.first_M
    ]


def spelled(words):
    bounds = pairwise(words.starts_N1.tolist())
    return [
        [text[words.begin_M[word] : words.end_M[word]] for word in range(first, last)]
        for text, (first, last) in zip(words.texts, bounds, strict=True)
    ]


@pytest.mark.parametrize("between", [" ", ""])
@settings(deadline=None)
@given(sentences=SENTENCES)
def test_joined_words_stand_where_they_are_said_to(between, sentences):
    words = Words.joined(sentences, between)

    assert spelled(words) == sentences
    assert list(words.texts) == [between.join(sentence) for sentence in sentences]


@pytest.mark.parametrize("family", ["roberta", "bert"])
@settings(deadline=None)
@given(sentences=SENTENCES)
def test_tokens_are_those_of_running_text(family, sentences):
    """Tokenising each word by itself, without the space before it, gives others."""
    tokenizer = tokenizer_of(family)
    words = Words.joined(sentences, " ")

    tokens = Tokens.of(words, tokenizer)

    running = [encoding.ids[1:-1] for encoding in tokenizer.encode(words.texts)]
    assert tokens.ids_D.tolist() == [id_ for ids in running for id_ in ids]
    np.testing.assert_array_equal(np.diff(tokens.starts_N1), list(map(len, running)))


@pytest.mark.parametrize("family", ["roberta", "bert"])
@pytest.mark.parametrize("between", [" ", ""])
@settings(deadline=None)
@given(sentences=SENTENCES)
def test_the_first_token_of_a_word_holds_its_first_character_that_shows(family, between, sentences):
    tokenizer = tokenizer_of(family)
    words = Words.joined(sentences, between)

    tokens = Tokens.of(words, tokenizer)

    assert (np.diff(tokens.first_M[tokens.first_M >= 0]) > 0).all()
    for first, word in zip(tokens.first_M, (w for s in sentences for w in s), strict=True):
        alone = tokenizer.encode([word])[0].ids[1:-1]
        if family == "bert":  # a word's pieces do not depend on the space before it
            end = len(tokens.ids_D) if first < 0 else first + len(alone)
            assert first >= 0 or not alone
            assert first < 0 or tokens.ids_D[first:end].tolist() == alone
        elif first >= 0:
            assert tokenizer.token(int(tokens.ids_D[first])) != "Ġ"
        else:
            assert word.isspace()


def test_byte_level_words_keep_the_space_before_them(byte_level):
    words = Words.joined([["Berlin", "Berlin"]], " ")

    first, second = tokens_of(words, byte_level)

    assert not first.startswith("Ġ")
    assert second.startswith("ĠB")


def test_characters_without_spaces_between_them_have_tokens_of_their_own(tokenizer):
    words = Words.joined([["北", "京", "1", "9", "9", "8"]], "")

    tokens = Tokens.of(words, tokenizer)

    assert tokens.unseen == 0
    for word, (first, last) in zip(
        words.texts[0], pairwise([*tokens.first_M.tolist(), len(tokens.ids_D)]), strict=True
    ):
        assert tokenizer.decode(tokens.ids_D[first:last].tolist()) == word


@pytest.mark.parametrize("nothing", ["\u200b", "\x00", "\ufeff", "\u00ad\u200d", "\x07\x1b"])
def test_a_word_that_the_tokenizer_drops_has_no_token_and_shifts_no_other(pieces, nothing):
    with_it = Words.joined([["Peter", nothing, "in", "Berlin", nothing]], " ")
    without = Words.joined([["Peter", "in", "Berlin"]], " ")

    found, wanted = Tokens.of(with_it, pieces), Tokens.of(without, pieces)

    assert found.ids_D.tolist() == wanted.ids_D.tolist()
    assert found.first_M[[0, 2, 3]].tolist() == wanted.first_M.tolist()
    assert found.first_M[[1, 4]].tolist() == [-1, -1]
    assert found.unseen == 2


@pytest.mark.parametrize("trimmed", [True, False])
def test_a_second_space_is_not_taken_for_the_word(byte_level, trimmed):
    """Whether offsets include the space before a word is up to the tokenizer."""
    trim = '"trim_offsets": true'
    assert trim in byte_level.json
    json = byte_level.json if trimmed else byte_level.json.replace(trim, '"trim_offsets": false')
    words = Words.found(["Peter   Berlin"], split.words)

    assert tokens_of(words, Tokenizer(json))[1].startswith("ĠB")


def test_a_word_that_is_a_space_has_no_token(tokenizer):
    words = Words.joined([["Peter", " ", "Berlin"]], " ")

    first, space, last = Tokens.of(words, tokenizer).first_M

    assert first == 0 < last
    assert space == -1


def test_special_tokens_in_a_text_are_one_token_of_their_word(byte_level):
    words = Words.joined([["Peter", "<mask>", "Berlin"]], " ")

    assert tokens_of(words, byte_level)[1] == "<mask>"


def sentence(*words):
    return Sentence(words, ("O",) * len(words), Path("a"), 1)


def test_nothing_stands_between_words_of_one_character():
    chinese = [sentence(*"我在北京和上海，人民"), sentence("1998", *"年在北京和")]

    assert joiner(chinese) == ""
    assert joiner([sentence("I", "am", "in", "Berlin")]) == " "


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("Berlin.", "Berlin|."),
        ("(Germany's U.S. envoy)", "(|Germany|'s|U.S.|envoy|)"),
        ("Peter’s, O'Brien 's", "Peter|’s|,|O'Brien|'|s"),
        ("all-rounder, on 1996-08-30...", "all-rounder|,|on|1996-08-30|..."),
        ('"10,000.5%" at 5 p.m.', '"|10,000.5|%|"|at|5|p.m.'),
        ("j.s.bach in s'", "j.s.bach|in|s|'"),
        ("AT&T and/or -3 a-", "AT&T|and/or|-|3|a|-"),
        ("हिन्दी में é e\u0301.", "हिन्दी|में|é|e\u0301|."),
        ("我在北京，1998年", "我在北京|，|1998年"),
        ("\t  two \u3000 spaces\n", "two|spaces"),
        ("", ""),
    ],
)
def test_words_of_raw_text_are_apart_from_punctuation(text, wanted):
    assert "|".join(text[begin:end] for begin, end in split.words(text)) == wanted


@pytest.mark.parametrize("splitter", [split.words, split.characters])
@settings(deadline=None)
@given(text=st.text(st.one_of(st.sampled_from("aB1.'s -,北"), st.characters())))
def test_no_character_but_white_space_is_left_out(splitter, text):
    places = list(splitter(text))

    between = [0, *(bound for place in places for bound in place), len(text)]
    assert between == sorted(between)
    assert all(begin < end for begin, end in places)
    gaps = zip(between[::2], between[1::2], strict=True)
    assert not "".join(text[begin:end] for begin, end in gaps).strip()
