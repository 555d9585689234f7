import itertools
import json
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from unmask.core.errors import UserError
from unmask.tokenizer import extend as module
from unmask.tokenizer import pretokens
from unmask.tokenizer.build import byte_level_bpe, word_piece
from unmask.tokenizer.counts import words_of
from unmask.tokenizer.extend import extend, pieces, refuse_unfit, tokens_per_word
from unmask.tokenizer.family import BERT, ROBERTA
from unmask.tokenizer.fast import BYTE_OF, line_encoder
from unmask.tokenizer.learn import learn_further
from unmask.tokenizer.tokenizer import Tokenizer
from unmask.tokenizer.train import train

OLD = ["the cat sat on the mat", "the other cat sat there", "a hat, a bat: that is that"] * 3
NEW = ["the cation and the anion", "an anion is no cation, that is an ion", "ions: été 猫"] * 4
ALPHABET = [chr(code) for code in sorted(BYTE_OF, key=BYTE_OF.__getitem__)]


def words(lines):
    return words_of(pretokens.count(lines))


def extended(old, lines, more):
    return extend(old, words(lines), old.vocabulary + more)


def merges(tokenizer):
    return [tuple(pair) for pair in json.loads(tokenizer.json)["model"]["merges"]]


def bpe(*pairs, between=()):
    """A tokenizer of these merges; `between` are tokens that no merge makes."""
    split = [tuple(pair.split(" ")) for pair in pairs]
    merged = [left + right for left, right in split]
    tokens = [*ROBERTA.specials[:-1], *ALPHABET, *between, *merged, ROBERTA.mask]
    return byte_level_bpe({token: id_ for id_, token in enumerate(tokens)}, split)


@pytest.fixture(scope="module")
def old():
    return train(OLD, 275)


def test_old_ids_keep_their_tokens_and_new_ones_come_after_the_mask(old):
    new = extended(old, NEW, 12)

    assert new.vocabulary == old.vocabulary + 12
    for id_ in range(old.vocabulary):
        assert new.token(id_) == old.token(id_)
    assert new.mask_id == old.mask_id == 274
    assert merges(new)[: len(merges(old))] == merges(old)
    assert "Ġanion" in [new.token(id_) for id_ in range(275, new.vocabulary)]


def test_text_without_a_new_token_keeps_its_ids(old):
    new = extended(old, NEW, 12)

    kept = ["a mat", "sat sat", "zzz", "<mask> x"]
    assert new.encode_lines(kept) == old.encode_lines(kept)
    assert len(new.encode_lines([NEW[0]])[0]) < len(old.encode_lines([NEW[0]])[0])


def test_a_mask_in_the_text_is_still_a_mask(old):
    new = extended(old, NEW, 12)

    both = [each.encode(["the <mask>"])[0].ids for each in (old, new)]
    assert both[0] == both[1]


def test_learning_on_equals_learning_that_never_stopped():
    whole = train(OLD + NEW, 300)
    begun = train(OLD + NEW, 280)

    assert merges(extended(begun, OLD + NEW, 20)) == merges(whole)


def test_each_new_token_is_itself_and_is_made_once(old):
    new = extended(old, NEW, 19)

    tokens = [left + right for left, right in merges(new)]
    assert len(set(tokens)) == len(tokens)
    assert line_encoder(new).name == "tiktoken"


def naive(old, lines, number):
    """Byte-pair encoding as in the textbook, on words cut by the old tokenizer."""
    known = {old.token(id_): id_ for id_ in range(old.vocabulary)}
    texts = Counter()
    for row in pretokens.count(lines).to_pylist():
        ids = old.encode_lines([row["word"].decode()])[0]
        texts[tuple(old.token(id_) for id_ in ids)] += row["count"]
    learnt = []
    while len(learnt) < number:
        found = Counter()
        for text, count in texts.items():
            for pair in itertools.pairwise(text):
                found[pair] += count
        able = {pair: n for pair, n in found.items() if "".join(pair) not in known and n > 1}
        if not able:
            break
        best = min(able, key=lambda pair: (-able[pair], known[pair[0]], known[pair[1]]))
        known["".join(best)] = len(known)
        learnt.append(best)
        texts = sum((Counter({join(text, best): n}) for text, n in texts.items()), Counter())
    return learnt


def join(text, pair):
    joined, rest = [], list(text)
    while rest:
        if tuple(rest[:2]) == pair:
            joined.append("".join(pair))
            rest = rest[2:]
        else:
            joined.append(rest.pop(0))
    return tuple(joined)


@settings(deadline=None, max_examples=40)
@given(st.lists(st.text("abc '", min_size=1, max_size=12), min_size=1, max_size=6))
def test_merges_are_those_of_the_textbook_and_encoding_ends_where_learning_did(lines):
    old = bpe("a b", "b c", "ab c", "Ġ a")
    lines = [line.strip() for line in lines if line.strip()] * 2 or ["ab"] * 2
    learnt = naive(old, lines, 99)

    if not learnt:
        return
    new = extended(old, lines, len(learnt))

    assert merges(new)[4:] == learnt
    assert len(merges(new)) == 4 + len(learnt)
    texts = [row["word"].decode() for row in pretokens.count(lines).to_pylist()]
    for word in texts:
        text = tuple(old.token(id_) for id_ in old.encode_lines([word])[0])
        for pair in learnt:
            text = join(text, pair)
        assert tuple(new.token(id_) for id_ in new.encode_lines([word])[0]) == text


def test_a_pair_that_makes_a_token_that_is_there_is_passed_over():
    old = bpe("b c", between=["abc", "<mask"])

    new = extended(old, ["abc abcd"] * 3, 1)

    assert "abc" not in [left + right for left, right in merges(new)]
    assert new.token(new.vocabulary - 1) == "Ġa"


def test_a_token_added_beside_the_vocabulary_keeps_its_id(old):
    whole = json.loads(old.json)
    added = {**whole["added_tokens"][0], "id": 275, "content": "<extra>"}
    old = Tokenizer(json.dumps({**whole, "added_tokens": [*whole["added_tokens"], added]}))

    new = extended(old, NEW, 5)

    assert new.token(275) == "<extra>"
    assert new.vocabulary == 281
    assert new.encode(["<extra>"])[0].ids[1] == 275


def test_the_same_words_give_the_same_bytes(old):
    assert extended(old, NEW, 12).json == extended(old, iter(NEW), 12).json


def test_batches_of_words_change_nothing(old, monkeypatch):
    expected = pieces(line_encoder(old), words(NEW))
    monkeypatch.setattr(module, "WORDS_AT_ONCE", 3)

    found = pieces(line_encoder(old), words(NEW))

    assert np.array_equal(found.symbols_S, expected.symbols_S)
    assert np.array_equal(found.lengths_W, expected.lengths_W)


def test_learning_leaves_the_pieces_as_they_are(old):
    given = pieces(line_encoder(old), words(NEW))
    before = given.symbols_S.copy()

    learn_further(given, [old.token(id_) for id_ in range(275)], 287, least=2)

    assert np.array_equal(given.symbols_S, before)


def test_tokens_per_word_weighs_words_by_how_often_they_were_seen():
    counted = words(["ab ab ab c"])  # "ab" once, " ab" twice, " c" once

    assert tokens_per_word(bpe(), counted) == (2 + 2 * 3 + 2) / 4
    assert tokens_per_word(bpe("a b"), counted) == (1 + 2 * 2 + 2) / 4


def test_text_too_small_for_the_vocabulary_is_refused(old):
    with pytest.raises(UserError) as caught:
        extended(old, ["qu qu"], 9)

    assert caught.value.what == "the text is enough for 276 ids, 1 of them new, not for 284"
    assert "--vocabulary 276" in caught.value.hint


def spaced(old):
    whole = json.loads(old.json)
    whole["pre_tokenizer"]["add_prefix_space"] = True
    return Tokenizer(json.dumps(whole))


def pieces_of_words():
    tokens = [*BERT.specials, "a"]
    return word_piece({token: id_ for id_, token in enumerate(tokens)}, lowercase=True)


@pytest.mark.parametrize(
    ("make", "size", "what", "hint"),
    [
        (lambda old: old, 275, "--vocabulary 275: model has 275 ids already", "more than 275"),
        (spaced, 300, "--extend model: its tokenizer does more than RoBERTa's", "vocab.json"),
        (lambda _: pieces_of_words(), 300, "--extend model: a WordPiece vocabulary cannot", "BERT"),
    ],
)
def test_what_cannot_be_extended_is_refused(old, make, size, what, hint):
    with pytest.raises(UserError) as caught:
        refuse_unfit(make(old), size, of=Path("model"))

    assert caught.value.what.startswith(what)
    assert hint in caught.value.hint


def test_what_can_be_extended_is_not_refused(old):
    refuse_unfit(old, 276, of=Path("model"))
