import dataclasses
import json

import pytest

from unmask.core.errors import UserError
from unmask.finetune.metrics.entities import Entity, entities, entity_scores


@pytest.mark.parametrize(
    ("tags", "lenient", "strict"),
    [
        ("B-PER I-PER O B-LOC", "PER 0 2, LOC 3 4", "PER 0 2, LOC 3 4"),
        ("I-PER I-PER", "PER 0 2", ""),
        ("B-PER B-PER", "PER 0 1, PER 1 2", "PER 0 1, PER 1 2"),
        ("B-PER I-LOC", "PER 0 1, LOC 1 2", "PER 0 1"),
        ("O I-PER B-PER I-PER", "PER 1 2, PER 2 4", "PER 2 4"),
        ("B-a-b I-a-b", "a-b 0 2", "a-b 0 2"),
        ("O O", "", ""),
        ("", "", ""),
    ],
)
def test_the_lenient_reading_takes_what_does_not_begin_too(tags, lenient, strict):
    assert entities(tags.split()) == _parsed(lenient)
    assert entities(tags.split(), "IOB2") == _parsed(strict)


@pytest.mark.parametrize(
    ("tags", "found"),
    [
        ("S-PER B-PER I-PER E-PER", "PER 0 1, PER 1 4"),
        ("B-PER E-PER I-PER E-PER", "PER 0 2"),
        ("B-PER I-PER", ""),
        ("B-PER E-LOC", ""),
        ("S-PER I-PER E-PER", "PER 0 1"),
    ],
)
def test_iobes_takes_what_begins_and_ends(tags, found):
    assert entities(tags.split(), "IOBES") == _parsed(found)


def test_right_is_an_entity_with_its_type_and_both_ends():
    gold = [["B-PER", "I-PER", "O"], ["B-LOC", "O", "B-ORG"]]
    predicted = [["B-PER", "O", "O"], ["B-LOC", "O", "B-LOC"]]

    scores = entity_scores(gold, predicted)

    assert (scores.precision, scores.recall, scores.f1) == pytest.approx((1 / 3, 1 / 3, 1 / 3))
    assert scores.accuracy == pytest.approx(4 / 6)
    assert list(scores.per_type) == ["LOC", "ORG", "PER"]
    assert dataclasses.astuple(scores.per_type["LOC"]) == pytest.approx((1 / 2, 1, 2 / 3, 1))
    as_dict = dataclasses.asdict(scores)
    assert json.loads(json.dumps(as_dict)) == as_dict


def test_the_same_entity_in_another_sentence_is_not_found():
    assert entity_scores([["B-PER"], ["O"]], [["O"], ["B-PER"]]).f1 == 0


def test_no_entity_at_all_scores_zero():
    scores = entity_scores([["O", "O"]], [["O", "O"]])

    assert (scores.f1, scores.support, scores.accuracy, scores.per_type) == (0, 0, 1, {})


@pytest.mark.parametrize(
    ("gold", "predicted", "scheme", "said"),
    [
        ([["O"]], [["O"], ["O"]], "conlleval", "1 gold sequences, but 2 predicted ones"),
        ([["O"], ["O"]], [["O"], []], "conlleval", "sequence 2: 1 gold tags, but 0 predicted ones"),
        ([], [], "conlleval", "no tokens to score"),
        ([[]], [[]], "conlleval", "no tokens to score"),
        ([["O", "PER"]], [["O", "O"]], "conlleval", "sequence 1, token 2: gold tag 'PER' is no"),
        ([["O"]], [[""]], "conlleval", "sequence 1, token 1: predicted tag '' is no conlleval tag"),
        ([["O"]], [[None]], "conlleval", "predicted tag None is no"),
        ([["B-"]], [["O"]], "IOB2", "gold tag 'B-' is no IOB2 tag"),
        ([["S-PER"]], [["O"]], "IOB2", "gold tag 'S-PER' is no IOB2 tag"),
        ([["U-PER"]], [["O"]], "IOBES", "gold tag 'U-PER' is no IOBES tag"),
    ],
)
def test_what_cannot_be_scored_is_refused(gold, predicted, scheme, said):
    with pytest.raises(UserError, match=said):
        entity_scores(gold, predicted, scheme)


def _parsed(text):
    triples = [one.split() for one in text.split(", ") if one]
    return [Entity(name, int(start), int(end)) for name, start, end in triples]
