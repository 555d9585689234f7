import json
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from unmask.core.errors import UserError
from unmask.tokenizer import fast
from unmask.tokenizer.build import byte_level_bpe, word_piece
from unmask.tokenizer.family import BERT, ROBERTA
from unmask.tokenizer.fast import ByTokenizers, line_encoder
from unmask.tokenizer.tokenizer import Tokenizer
from unmask.tokenizer.train import train

LINES = ["the cat  sat on the mat", "don't", "x", "", "the  \t the", "<s>the</s> <mask>", "été 猫"]
ALPHABET = [chr(code) for code in sorted(fast.BYTE_OF, key=fast.BYTE_OF.__getitem__)]


def bpe(*merges):
    """A byte-level BPE of these merges, each written as its two parts with a space between."""
    pairs = [tuple(merge.split(" ")) for merge in merges]
    merged = dict.fromkeys(left + right for left, right in pairs)
    tokens = [*ROBERTA.specials[:-1], *ALPHABET, *merged, ROBERTA.mask]
    return byte_level_bpe({token: id_ for id_, token in enumerate(tokens)}, pairs)


def changed(tokenizer, part=None, **settings):
    """The tokenizer with some settings of a part of its tokenizer.json replaced."""
    whole = json.loads(tokenizer.json)
    (whole[part] if part else whole).update(settings)
    return Tokenizer(json.dumps(whole))


def assert_same(encoder, tokenizer, lines):
    found, expected = encoder(lines), tokenizer.encode_lines(lines)
    assert found.ids_T.tolist() == [id_ for ids in expected for id_ in ids]
    assert found.lengths_N.tolist() == [len(ids) for ids in expected]
    assert found.ids_T.dtype == encoder.dtype
    assert found.lengths_N.dtype == np.int64


SOUND = bpe("t h", "th e", "Ġ the", "Ġ a", "Ġa t", "a t", "Ġ c")


def test_a_trained_tokenizer_goes_the_fast_way():
    tokenizer = train(LINES * 3, 280)
    encoder = line_encoder(tokenizer)

    assert encoder.name == "tiktoken"
    assert_same(encoder, tokenizer, LINES)


def test_word_piece_goes_its_own_way():
    tokens = [*BERT.specials, "the", "cat", "##s", "x", "<", ">", "mask", "don", "'", "t"]
    tokenizer = word_piece({token: id_ for id_, token in enumerate(tokens)}, lowercase=True)
    encoder = line_encoder(tokenizer)

    assert encoder.name == "tokenizers"
    assert_same(encoder, tokenizer, LINES)


@pytest.mark.parametrize(
    ("part", "settings"),
    [
        ("model", {"ignore_merges": True}),
        ("model", {"dropout": 1.0}),
        ("model", {"continuing_subword_prefix": "x"}),
        ("model", {"end_of_word_suffix": "x"}),
        ("pre_tokenizer", {"add_prefix_space": True}),
        ("pre_tokenizer", {"use_regex": False}),
    ],
)
def test_what_only_tokenizers_does_goes_its_way(part, settings):
    tokenizer = changed(SOUND if part != "model" else bpe(), part, **settings)
    encoder = line_encoder(tokenizer)

    assert encoder.name == "tokenizers"
    assert_same(encoder, tokenizer, LINES)


def test_added_tokens_that_are_no_special_ones_go_the_slow_way():
    added = json.loads(SOUND.json)["added_tokens"]
    more = added[0] | {"id": SOUND.vocabulary, "content": "cat", "special": False}
    tokenizer = changed(SOUND, added_tokens=[*added, more])
    encoder = line_encoder(tokenizer)

    assert encoder.name == "tokenizers"
    assert SOUND.vocabulary in encoder(["the cat"]).ids_T
    assert_same(encoder, tokenizer, LINES)


def test_special_added_tokens_are_text_on_the_fast_way():
    added = json.loads(SOUND.json)["added_tokens"]
    more = added[0] | {"id": SOUND.vocabulary, "content": "cat"}
    tokenizer = changed(SOUND, added_tokens=[*added, more])
    encoder = line_encoder(tokenizer)

    assert encoder.name == "tiktoken"
    assert_same(encoder, tokenizer, LINES)


def test_tokens_that_stand_for_no_bytes_go_the_slow_way():
    tokens = [*ROBERTA.specials[:-1], *ALPHABET, "é猫", "猫", ROBERTA.mask]
    tokenizer = byte_level_bpe({token: id_ for id_, token in enumerate(tokens)}, [("é", "猫")])

    assert line_encoder(tokenizer).name == "tokenizers"


UNSOUND = {
    "a token that its own merges miss": ["a b", "b c", "a bc"],
    "a token of two merges": ["a b", "ab c", "c d", "b c", "a bc"],
    "a merge before its parts": ["ab c", "b c", "a b"],
}


@pytest.mark.parametrize("merges", UNSOUND.values(), ids=UNSOUND)
def test_merges_that_tiktoken_would_read_otherwise_go_the_slow_way(merges, monkeypatch):
    tokenizer = bpe(*merges)
    lines = ["abc", "aabcc", "abcd", "bcabca"]
    encoder = line_encoder(tokenizer)
    monkeypatch.setattr(fast, "_is_sound", lambda *_: True)

    assert encoder.name == "tokenizers"
    assert_same(encoder, tokenizer, lines)
    with pytest.raises(AssertionError):
        assert_same(line_encoder(tokenizer), tokenizer, lines)


PARTS = st.integers(0, 99)


@settings(deadline=None, max_examples=60)
@given(
    st.lists(st.tuples(PARTS, PARTS), max_size=8),
    st.lists(st.text("ab", max_size=20), max_size=30),
)
def test_any_merges_give_the_ids_of_tokenizers(parts, lines):
    tokens, merges = ["a", "b"], {}
    for left, right in parts:
        merge = tokens[left % len(tokens)], tokens[right % len(tokens)]
        if merge not in merges and len("".join(merge)) < 9:
            merges[merge] = None
            tokens.append("".join(merge))
    tokenizer = bpe(*map(" ".join, merges))

    assert_same(line_encoder(tokenizer), tokenizer, lines)


@pytest.mark.parametrize("lines", [[], [""], ["", ""], ["the"], ["", "the", ""]])
def test_few_lines_and_empty_lines(lines):
    assert_same(line_encoder(SOUND), SOUND, lines)


def test_the_mark_itself_in_a_text_is_no_mark():
    assert_same(line_encoder(SOUND), SOUND, ["the  \0 cat", "\0", "the\0the  the"])


@pytest.mark.parametrize("lines", [["the\ncat"], ["the\ncat", "the"], ["\n"]])
def test_a_line_feed_in_a_line_is_our_mistake(lines):
    with pytest.raises(AssertionError, match="line feed"):
        line_encoder(SOUND)(lines)


@pytest.mark.parametrize("tokenizer", [SOUND, bpe("a b", "b c", "a bc")], ids=["fast", "slow"])
def test_half_a_character_is_refused(tokenizer):
    with pytest.raises(UserError, match=r"U\+D83D, half of a character") as error:
        line_encoder(tokenizer)(["the cat", "sat \ud83d"])
    assert "UTF-8" in error.value.hint


@pytest.mark.parametrize(("vocabulary", "dtype"), [(1 << 16, "<u2"), ((1 << 16) + 1, "<u4")])
def test_ids_take_two_bytes_as_long_as_they_fit(vocabulary, dtype):
    assert ByTokenizers(SimpleNamespace(vocabulary=vocabulary)).dtype == dtype
