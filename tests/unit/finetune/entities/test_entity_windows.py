import random

import numpy as np
import pytest

from unmask.core.errors import UserError
from unmask.finetune.entities import windows
from unmask.finetune.entities.tokens import Tokens
from unmask.finetune.entities.words import Words

VOCABULARY = ["Peter", "in", "Berlin", "\u200b", "x", "Unerklärlich", "北", "european"]


def drawn(seed, longest=60):
    rng = random.Random(seed)
    return [rng.choices(VOCABULARY, k=rng.randint(1, longest)) for _ in range(12)]


def parts(found):
    """Ids and words of each window."""
    bounds = found.sequences.starts_N1[1:-1]
    return zip(np.split(found.sequences.ids_T, bounds), np.split(found.word_T, bounds), strict=True)


def test_what_fits_is_one_sequence_as_the_tokenizer_gives_it(tokenizer):
    words = Words.joined(drawn(0), " ")

    found = windows.cut(words, tokenizer, 1000)

    encodings = tokenizer.encode(words.texts)
    assert len(found) == len(words.texts)
    for (ids, _), encoding in zip(parts(found), encodings, strict=True):
        assert ids.tolist() == encoding.ids
    assert not found.sequences.types_T.any()
    np.testing.assert_array_equal(found.sentence_W, np.arange(len(words.texts)))


@pytest.mark.parametrize("length", [3, 4, 7, 16, 33])
def test_every_word_is_read_off_its_first_token_in_exactly_one_window(tokenizer, length):
    words = Words.joined(drawn(length), " ")
    tokens = Tokens.of(words, tokenizer)

    found = windows.cut(words, tokenizer, length)

    asked = found.word_T[found.word_T >= 0]
    assert sorted(asked.tolist()) == np.flatnonzero(tokens.first_M >= 0).tolist()
    places = found.word_T >= 0
    np.testing.assert_array_equal(
        found.sequences.ids_T[places], tokens.ids_D[tokens.first_M[asked]]
    )
    text_M = np.repeat(np.arange(len(words.texts)), np.diff(words.starts_N1))
    window_T = np.repeat(np.arange(len(found)), found.sequences.lengths_N)
    np.testing.assert_array_equal(found.sentence_W[window_T[places]], text_M[asked])


@pytest.mark.parametrize("length", [3, 4, 7, 16, 33])
def test_windows_cover_their_text_and_share_a_quarter(tokenizer, length):
    words = Words.joined(drawn(length), " ")
    tokens = Tokens.of(words, tokenizer)
    room = length - 2

    found = windows.cut(words, tokenizer, length)

    for text, (first, last) in enumerate(
        zip(tokens.starts_N1[:-1], tokens.starts_N1[1:], strict=True)
    ):
        of_text = np.flatnonzero(found.sentence_W == text)
        spans = windows._spans(np.array([last - first]), room)
        assert len(of_text) == len(spans.text_W)
        assert (spans.begin_W[0], spans.end_W[-1]) == (0, last - first)
        assert (spans.end_W[:-1] - spans.begin_W[1:] >= room // 4).all()
        if len(of_text) > 1:
            assert (found.sequences.lengths_N[of_text] == length).all()
        for window, begin, end in zip(of_text, spans.begin_W, spans.end_W, strict=True):
            start, stop = found.sequences.starts_N1[window : window + 2]
            ids = found.sequences.ids_T[start:stop].tolist()
            inside = tokens.ids_D[first + begin : first + end].tolist()
            assert ids == [tokenizer.bos_id, *inside, tokenizer.eos_id]


def context(spans, window, place):
    """Tokens on the shorter side of a place in a text; -1 outside of the window."""
    begin, end = spans.begin_W[window], spans.end_W[window]
    if not begin <= place < end:
        return -1
    left = place - begin if begin else np.inf
    right = end - 1 - place if end < spans.end_W[-1] else np.inf
    return min(left, right)


@pytest.mark.parametrize("room", [1, 2, 3, 5, 14, 30, 31])
def test_every_token_belongs_to_the_window_with_most_context(room):
    for length in range(1, 6 * room + 3):
        spans = windows._spans(np.array([length]), room)
        every = range(len(spans.text_W))
        for place in range(length):
            (owner,) = (w for w in every if spans.own_first_W[w] <= place < spans.own_last_W[w])
            best = max(context(spans, window, place) for window in every)
            assert context(spans, owner, place) == best, (length, place)


def test_a_word_longer_than_a_window_is_read_off_its_first_token(byte_level):
    words = Words.joined([["in", "x" * 200, "Berlin"]], " ")

    found = windows.cut(words, byte_level, 16)

    assert sorted(found.word_T[found.word_T >= 0].tolist()) == [0, 1, 2]
    assert (found.sequences.lengths_N == 16).all()


def test_targets_are_the_tags_at_first_tokens_and_ignored_elsewhere(pieces):
    words = Words.joined([["Peter", "\u200b", "Blackburn"], ["in", "Berlin"]], " ")

    label_T = windows.cut(words, pieces, 16).targets(np.array([3, 9, 4, 0, 1]))

    x = windows.IGNORED
    assert label_T.tolist() == [x, 3, 4, x, x, x, 0, 1, x, x]


def test_what_is_cut_and_what_has_no_token_is_said(pieces, said):
    words = Words.joined([["Peter", "\u200b", "Blackburn"], ["in", "Berlin"]], " ")

    windows.cut(words, pieces, 4)

    assert said == [
        "2 of 2 sentences are longer than 4 tokens: read in overlapping windows",
        "1 of 5 words have no token in this vocabulary, such as control characters: not learnt "
        "from, and tagged O",
    ]


def test_no_text_and_texts_of_nothing_are_no_trouble(pieces):
    nothing = windows.cut(Words.joined([], " "), pieces, 16)
    dropped = windows.cut(Words.joined([["\u200b"]], " "), pieces, 16)

    assert len(nothing) == 0
    assert dropped.sequences.ids_T.tolist() == [pieces.bos_id, pieces.eos_id]
    assert dropped.targets(np.array([2])).tolist() == [-100, -100]


def test_a_length_without_room_is_refused(tokenizer):
    with pytest.raises(UserError, match="windows of 2 tokens: 2 special tokens leave no room"):
        windows.cut(Words.joined([["x"]], " "), tokenizer, 2)
