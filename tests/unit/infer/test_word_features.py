import itertools
import random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from unmask.core.errors import UserError
from unmask.infer.features.states import token_features
from unmask.infer.features.words import located, shares, word_features

TEXTS = ["The trophy, does  not fit!", "don't", "", "我爱 北京天安门 café", "  big  "]


def test_words_are_those_between_spaces(tiny):
    found = word_features(tiny.extractor, TEXTS)

    known = [text.split() for text in TEXTS]
    if tiny.family == "bert":
        known[3] = known[3][:3]
    assert [list(item.words) for item in found] == known
    for text, item in zip(TEXTS, found, strict=True):
        assert tuple(text[start:stop] for start, stop in item.spans) == item.words
        assert item.vectors_KWD.shape == (1, len(item.words), 32)


def test_the_sum_over_words_is_the_sum_over_tokens(tiny):
    """With the words cut anywhere, so that tokens are shared."""
    dice = random.Random(1)
    words = [cut(text, dice) for text in TEXTS]

    found = word_features(tiny.extractor, TEXTS, words, layers=(1, -1))
    tokens = token_features(tiny.extractor, TEXTS, layers=(1, -1))

    for mine, all_ in zip(found, tokens, strict=True):
        on_letters = [number for number, (start, stop) in enumerate(all_.offsets) if stop > start]
        expected = all_.vectors_KTD[:, on_letters].sum(1)
        assert mine.vectors_KWD.sum(1) == pytest.approx(expected, abs=1e-4)


def cut(text, dice):
    pieces = []
    for word in text.split():
        place = dice.randint(0, len(word))
        pieces += [piece for piece in (word[:place], word[place:]) if piece]
    return pieces


def test_the_mean_of_a_word_of_one_token_is_that_token(tiny):
    found = word_features(tiny.extractor, ["the cat"], combining="mean")[0]
    tokens = token_features(tiny.extractor, ["the cat"])[0]

    assert len(tokens.tokens) == 4
    assert found.vectors_KWD == pytest.approx(tokens.vectors_KTD[:, 1:3], abs=1e-6)


def test_the_mean_is_the_sum_over_the_tokens_of_a_word(tiny):
    total = word_features(tiny.extractor, ["dabcab cat"])[0].vectors_KWD
    mean = word_features(tiny.extractor, ["dabcab cat"], combining="mean")[0].vectors_KWD
    count = len(tiny.tokenizer.encode_lines(["dabcab"])[0])

    assert count > 1
    assert mean[:, 0] * count == pytest.approx(total[:, 0], abs=1e-5)


def test_words_alone_and_together_have_the_same_features(tiny):
    together = word_features(tiny.extractor, TEXTS)

    for text, item in zip(TEXTS, together, strict=True):
        alone = word_features(tiny.extractor, [text])[0]
        assert alone.words == item.words
        assert alone.vectors_KWD == pytest.approx(item.vectors_KWD, abs=1e-5)


def test_words_that_are_cut_off_are_left_out_whole_and_said(tiny, capsys):
    text = "abcde " * 60
    found = word_features(tiny.extractor, [text, "cat"])[0]

    per_word = len(tiny.tokenizer.encode_lines([" abcde"])[0])
    assert per_word > 1
    assert 0 < len(found.words) <= 46 // per_word
    lost = 60 - len(found.words)
    assert f"{lost} words have no features" in capsys.readouterr().err
    whole = word_features(tiny.extractor, [text[: 6 * len(found.words)]])[0]
    assert whole.words == found.words


def test_a_letter_that_is_cut_in_two_is_left_out(tiny, capsys):
    if tiny.family == "bert":
        pytest.skip("a token of WordPiece has whole letters")
    read = tiny.tokenizer.decode(tiny.tokenizer.encode(["猫 " * 40])[0].ids[1:47])
    assert read.endswith("\ufffd")  # the cut goes through a letter

    found = word_features(tiny.extractor, ["猫 " * 40])[0]

    whole = read.rstrip("\ufffd").split()
    assert list(found.words) == whole
    assert f"{40 - len(whole)} words have no features" in capsys.readouterr().err


def test_words_without_a_token_are_left_out_and_said(tiny, capsys):
    if tiny.family == "roberta":
        pytest.skip("byte-level BPE has a token for every letter")
    found = word_features(tiny.extractor, ["the \u0007 cat"])[0]

    assert found.words == ("the", "cat")
    assert "1 words have no features" in capsys.readouterr().err


def test_words_that_do_not_stand_in_the_text_are_refused():
    with pytest.raises(UserError, match="text 1: word 2, 'dog', does not stand in it after char"):
        located("the cat", ["cat", "dog"], "text 1")
    with pytest.raises(UserError, match="word 2, 'the', does not stand in it after character 7"):
        located("the cat", ["cat", "the"], "text 1")
    with pytest.raises(UserError, match="word 1, ''"):
        located("the cat", [""], "text 1")


@given(st.data())
def test_every_token_is_shared_out_whole_or_not_at_all(data):
    cuts = sorted(data.draw(st.sets(st.integers(0, 40), min_size=2, max_size=12)))
    offsets = [(0, 0), *itertools.pairwise(cuts), (cuts[-1], cuts[-1])]
    ends = sorted(data.draw(st.sets(st.integers(0, 40), min_size=2, max_size=12)))
    spans = list(itertools.pairwise(ends))

    shares_WT = shares(offsets, spans)

    for column, (start, stop) in zip(shares_WT.T, offsets, strict=True):
        lies = [max(start, a) < min(stop, b) for a, b in spans]
        assert np.array_equal(column > 0, lies)
        assert column.sum() == pytest.approx(float(any(lies)))
        assert len(set(column[column > 0])) <= 1
