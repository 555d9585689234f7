from itertools import chain

import numpy as np
import pytest

from unmask.core.errors import UserError
from unmask.finetune.entities import spans, split, windows
from unmask.finetune.entities.words import Words

NAMES = ("O", "B-LOC", "I-LOC", "B-PER", "I-PER")


def logits_for(found, tag_M, names=NAMES):
    """Logits that give each word its tag, and something else to all other tokens."""
    logits_TC = np.zeros((len(found.word_T), len(names)), np.float32)
    logits_TC[:, -1] = 9
    asked = found.word_T >= 0
    logits_TC[asked] = 0
    logits_TC[asked, np.array(tag_M, np.int64)[found.word_T[asked]]] = 5
    return logits_TC


def tagged(words, tag_M, tokenizer, length=8, names=NAMES):
    found = windows.cut(words, tokenizer, length)
    return spans.tag(found, logits_for(found, tag_M, names), names)


def told(words, tags, tokenizer, names=NAMES):
    answer = tagged(words, [names.index(tag) for tag in tags], tokenizer, names=names)
    return [[(e.type, e.text) for e in entities] for entities in spans.entities(answer)]


def test_tags_come_back_to_their_words_whatever_the_windows(tokenizer):
    rng = np.random.default_rng(0)
    sentences = [["Peter", "in", "Berlin", "european"] * n for n in range(1, 15)]
    words = Words.joined(sentences, " ")
    tag_M = rng.integers(len(NAMES), size=len(words))

    answer = tagged(words, tag_M, tokenizer, length=int(rng.integers(4, 30)))

    np.testing.assert_array_equal(answer.tag_M, tag_M)
    assert [len(tags) for tags in answer.sentences] == [len(words) for words in sentences]
    assert list(chain.from_iterable(answer.sentences)) == [NAMES[tag] for tag in tag_M]


def test_a_word_without_a_token_is_outside_and_shifts_no_other(pieces):
    words = Words.joined([["Peter", "\u200b", "Blackburn", "in", "Berlin"]], " ")

    answer = tagged(words, [3, 3, 4, 0, 1], pieces)

    assert answer.sentences == [["B-PER", "O", "I-PER", "O", "B-LOC"]]
    assert answer.seen_M.tolist() == [True, False, True, True, True]
    assert answer.score_M[1] == 0
    (peter, berlin) = spans.entities(answer)[0]
    assert (peter.text, berlin.text) == ("Peter \u200b Blackburn", "Berlin")


def test_outside_is_found_by_its_name(pieces):
    words = Words.joined([["Peter", "\u200b", "in"]], " ")

    answer = tagged(words, [0, 0, 1], pieces, names=("I-PER", "O"))

    assert answer.sentences == [["I-PER", "O", "O"]]


def test_texts_of_entities_are_cut_from_the_untouched_text(tokenizer):
    """Joining tokens, with ## or without, gives `ber ##lin`, `berlin` or `ĠBerlin`."""
    text = "  Herr\tPETER  Bläckburn's Berlin, (BERLIN)."
    words = Words.found([text], split.words)
    tags = ["O", "B-PER", "I-PER", "O", "B-LOC", "O", "O", "B-LOC", "O", "O"]

    answer = tagged(words, [NAMES.index(tag) for tag in tags], tokenizer)

    found = spans.entities(answer)[0]
    assert [entity.text for entity in found] == ["PETER  Bläckburn", "Berlin", "BERLIN"]
    assert all(entity.text == text[entity.begin : entity.end] for entity in found)
    assert [entity.type for entity in found] == ["PER", "LOC", "LOC"]


def test_chinese_entities_are_runs_of_characters(tokenizer):
    words = Words.found(["我 在北京和上海"], split.characters)

    found = told(words, ["O", "O", "B-LOC", "I-LOC", "O", "B-LOC", "I-LOC"], tokenizer)

    assert found == [[("LOC", "北京"), ("LOC", "上海")]]


@pytest.mark.parametrize(
    ("tags", "wanted"),
    [
        ("I-PER I-PER O I-LOC", [("PER", "a b"), ("LOC", "d")]),
        ("B-PER I-LOC I-LOC O", [("PER", "a"), ("LOC", "b c")]),
        ("B-PER B-PER I-PER I-LOC", [("PER", "a"), ("PER", "b c"), ("LOC", "d")]),
        ("O O O O", []),
    ],
)
def test_an_i_that_continues_nothing_begins_an_entity(pieces, tags, wanted):
    assert told(Words.joined([list("abcd")], " "), tags.split(), pieces) == [wanted]


@pytest.mark.parametrize(
    ("names", "tags"),
    [
        (("O", "PER", "LOC"), "PER PER O LOC"),
        (("I-PER", "I-LOC", "B-PER", "O"), "I-PER I-PER O I-LOC"),
        (("O", "B-PER", "L-PER", "U-LOC"), "B-PER L-PER O U-LOC"),
        (("O", "B-PER", "M-PER", "E-PER", "S-LOC"), "B-PER E-PER O S-LOC"),
    ],
)
def test_labels_of_other_models_are_understood(pieces, names, tags):
    words = Words.joined([list("abcd")], " ")

    assert told(words, tags.split(), pieces, names) == [[("PER", "a b"), ("LOC", "d")]]


def test_the_score_is_the_mean_probability_of_the_words(pieces):
    found = windows.cut(Words.joined([["peter", "blackburn"]], " "), pieces, 16)
    logits_TC = np.zeros((len(found.word_T), 2), np.float32)
    logits_TC[found.word_T == 0, 1] = np.log(3)
    logits_TC[found.word_T == 1, 1] = np.log(9)

    ((entity,),) = spans.entities(spans.tag(found, logits_TC, ("O", "I-PER")))

    assert entity.score == pytest.approx((3 / 4 + 9 / 10) / 2)


def test_texts_without_words_have_no_entities(pieces):
    assert told(Words.found(["", " \n"], split.words), [], pieces) == [[], []]


def test_logits_that_are_not_finite_and_models_without_o_are_refused(pieces):
    found = windows.cut(Words.joined([["peter", "blackburn"]], " "), pieces, 16)
    logits_TC = logits_for(found, [0, 0])
    with pytest.raises(UserError, match="the model has no tag O: good, bad"):
        spans.tag(found, logits_TC[:, :2], ("good", "bad"))
    logits_TC[found.word_T == 1, 2] = np.nan

    with pytest.raises(UserError, match="no finite logits for 1 of 2 words"):
        spans.tag(found, logits_TC, NAMES)
