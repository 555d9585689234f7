import random
from pathlib import Path

import pytest

from unmask.core.errors import UserError
from unmask.finetune.entities import scheme
from unmask.finetune.entities.sentence import Sentence

TYPES = ("PER", "LOC", "GPE-SUB", "I", "O")


def drawn(rng, length):
    """Entities of a sentence, as (type, first, last), often side by side."""
    entities, place = [], 0
    while place < length:
        if rng.random() < 0.5:
            last = min(length, place + rng.randint(1, 3)) - 1
            entities.append((rng.choice(TYPES), place, last))
            place = last + 1
        else:
            place += 1
    return entities


def written(name, entities, length):
    """Write entities in a scheme, from its definition."""
    tags = ["O"] * length
    for index, (kind, first, last) in enumerate(entities):
        for place in range(first, last + 1):
            tags[place] = f"I-{kind}"
        follows_its_like = index and entities[index - 1][::2] == (kind, first - 1)
        if name == "iob2" or (name == "iob1" and follows_its_like):
            tags[first] = f"B-{kind}"
        if name in LETTERS:
            begin, inside, end, single = LETTERS[name]
            tags[first : last + 1] = [f"{inside}-{kind}" for _ in range(last + 1 - first)]
            tags[first], tags[last] = f"{begin}-{kind}", f"{end}-{kind}"
            if first == last:
                tags[first] = f"{single}-{kind}"
    return tuple(tags)


LETTERS = {"bioes": "BIES", "bilou": "BILU", "bmes": "BMES"}
NAMES = ("iob1", "iob2", *LETTERS)


def sentence(tags, number=1):
    tags = tuple(tags.split()) if isinstance(tags, str) else tags
    return Sentence(tuple(f"w{index}" for index in range(len(tags))), tags, Path("a.txt"), number)


def refusal(tags, name):
    with pytest.raises(UserError) as caught:
        scheme.to_iob2([sentence("O O O"), sentence(tags, number=5)], name)
    return caught.value


@pytest.mark.parametrize("name", NAMES)
def test_every_scheme_is_detected_and_says_the_same_in_iob2(name):
    rng = random.Random(name)
    for _ in range(200):
        drawings = [(drawn(rng, length), length) for length in rng.choices(range(1, 9), k=20)]
        read = [sentence(written(name, *drawing)) for drawing in drawings]
        wanted = [written("iob2", *drawing) for drawing in drawings]

        found = scheme.detect(read)

        assert found == ("bioes" if name in LETTERS else name)
        assert [item.tags for item in scheme.to_iob2(read, found)] == wanted


def test_iob2_stays_as_it_is():
    tags = ("O", "B-A", "I-A", "B-A", "B-B", "O")

    assert scheme.to_iob2([sentence(tags)], "iob2")[0].tags == tags


def test_most_entities_decide_for_no_large_file_is_without_a_slip():
    like_conll = [sentence("I-PER I-PER O"), sentence("O I-LOC"), sentence("O B-MISC I-MISC")]

    assert scheme.detect(like_conll) == "iob1"
    assert [item.tags for item in scheme.to_iob2(like_conll, "iob1")] == [
        ("B-PER", "I-PER", "O"),
        ("O", "B-LOC"),
        ("O", "B-MISC", "I-MISC"),
    ]
    assert scheme.detect([sentence("O O")]) == "iob2"


def test_an_i_that_continues_nothing_is_counted_and_shown_and_iob1_reads_it_as_conlleval_does():
    slips = [sentence("B-PER I-PER O"), sentence("B-LOC O B-LOC O"), sentence("B-A I-B O I-A", 9)]
    assert scheme.detect(slips) == "iob2"

    with pytest.raises(UserError) as caught:
        scheme.to_iob2(slips, "iob2")

    assert caught.value.what == (
        "a.txt: line 10: tag 'I-B' continues no entity, as IOB2 wants it; nor do 2 in this file"
    )
    assert "--entities.scheme iob1" in caught.value.hint
    assert scheme.to_iob2(slips, "iob1")[2].tags == ("B-A", "B-B", "O", "B-A")


@pytest.mark.parametrize(
    ("tags", "line"),
    [
        ("B-A O", 6),
        ("B-A", 5),
        ("O I-A", 6),
        ("O E-A", 6),
        ("B-A E-B", 6),
        ("B-A S-A", 6),
        ("B-A I-A B-A E-A", 7),
        ("S-A E-A", 6),
        ("B-A L-A U-A I-A", 8),
    ],
)
def test_bioes_entities_need_their_begin_and_end(tags, line):
    error = refusal(tags, "bioes")

    assert error.what.startswith(f"a.txt: line {line}: tag ")
    assert "leaves an entity without its begin or end" in error.what


@pytest.mark.parametrize("name", ["iob1", "iob2"])
def test_ends_are_no_tags_of_iob(name):
    assert "line 6: 'E-A' is no tag" in refusal("B-A E-A", name).what
