"""Rewriting tags changes no entity: seqeval, strict in either scheme, finds the same ones."""

import random
from pathlib import Path

import pytest

from unmask.core.errors import UserError
from unmask.finetune.entities import scheme
from unmask.finetune.entities.sentence import Sentence

schemes = pytest.importorskip("seqeval.scheme")
labeling = pytest.importorskip("seqeval.metrics.sequence_labeling")

LETTERS = {"IOB1": "BI", "IOB2": "BI", "IOBES": "BIES", "BILOU": "BILU"}
OURS = {"IOB1": "iob1", "IOB2": "iob2", "IOBES": "bioes", "BILOU": "bioes"}
TYPES = ("PER", "LOC", "GPE-SUB")


def entities(tags, name):
    return [
        (entity.tag, entity.start, entity.end)
        for entity in schemes.Tokens(list(tags), getattr(schemes, name)).entities
    ]


def random_tags(rng, name):
    """Tags with and without sense, mostly with."""
    choices = ["O", *(f"{letter}-{kind}" for letter in LETTERS[name] for kind in TYPES)]
    tags = []
    for _ in range(rng.randint(1, 12)):
        before = tags[-1] if tags else "O"
        if before != "O" and rng.random() < 0.6:
            tags.append(rng.choice(LETTERS[name]) + before[1:])
        else:
            tags.append(rng.choice(choices))
    return tuple(tags)


def sentence(tags):
    return Sentence(("w",) * len(tags), tags, Path("a"), 1)


def is_whole(tags, name):
    """Whether every tagged word belongs to an entity of the strict scheme."""
    inside = {place for _, start, end in entities(tags, name) for place in range(start, end)}
    return inside == {place for place, tag in enumerate(tags) if tag != "O"}


@pytest.mark.parametrize("name", LETTERS)
def test_entities_of_well_formed_tags_stay_the_same(name):
    rng = random.Random(name)
    whole = [tags for tags in (random_tags(rng, name) for _ in range(4000)) if is_whole(tags, name)]

    for tags in whole:
        (converted,) = scheme.to_iob2([sentence(tags)], OURS[name])
        assert entities(converted.tags, "IOB2") == entities(tags, name), tags
    assert len(whole) > 100


@pytest.mark.parametrize("name", ["IOB2", "IOBES", "BILOU"])
def test_tags_that_belong_to_no_entity_are_refused(name):
    rng = random.Random(name)
    for _ in range(4000):
        if not is_whole(tags := random_tags(rng, name), name):
            with pytest.raises(UserError):
                scheme.to_iob2([sentence(tags)], OURS[name])


def test_iob1_reads_any_tags_as_conlleval_does():
    rng = random.Random(0)
    for _ in range(4000):
        tags = random_tags(rng, "IOB2")

        (converted,) = scheme.to_iob2([sentence(tags)], "iob1")

        wanted = [(kind, start, end + 1) for kind, start, end in labeling.get_entities(list(tags))]
        assert entities(converted.tags, "IOB2") == wanted
