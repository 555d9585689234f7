"""The ways of writing entities as tags, and from each of them to IOB2.

In IOB2 every entity begins with B- and goes on with I-. In IOB1 it begins with I-, and with B- only
right after another of its type (Ramshaw and Marcus 1995; CoNLL-2003). In BIOES it ends with E-, and
one of a single word is S-; BILOU writes L- and U- for these, BMES writes M- for I-.
"""

import dataclasses
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import Literal, TypeAlias

from unmask.core.errors import UserError
from unmask.finetune.entities.sentence import Sentence

Scheme: TypeAlias = Literal["iob1", "iob2", "bioes"]

OUTSIDE = "O"
SPELLINGS = {"L": "E", "U": "S", "M": "I"}
"""Letters of BILOU and BMES, and those of BIOES."""
ENDS = frozenset("ES")


def spelled(tag: str) -> str:
    """Write a tag with the letters of BIOES."""
    return SPELLINGS.get(tag[0], tag[0]) + tag[1:]


def detect(sentences: Sequence[Sentence]) -> Scheme:
    """Tell the scheme of a file by all of its tags.

    E- and S- are of BIOES alone. Otherwise it counts how most of the entities begin that follow
    none of their type: by B- in IOB2, by I- in IOB1. Most, as no large file is without a slip:
    CoNLL-2003's has two such B- in 23,429. UserError for what is no tag.
    """
    _refuse_untagged(sentences, "BIESLUM")
    if any(spelled(tag)[0] in ENDS for sentence in sentences for tag in sentence.tags):
        return "bioes"
    begins = Counter(
        tag[0]
        for sentence in sentences
        for before, tag in _pairs(sentence.tags)
        if tag != OUTSIDE and not _goes_on(before, tag)
    )
    return "iob1" if begins["I"] > begins["B"] else "iob2"


def to_iob2(sentences: Sequence[Sentence], scheme: Scheme) -> list[Sentence]:
    """Rewrite the tags of a file.

    In the reading of IOB1 any I- that continues nothing begins an entity, as conlleval has it; so
    it reads IOB2 with such tags, too. UserError for what the scheme does not allow.
    """
    _refuse_untagged(sentences, "BIESLUM" if scheme == "bioes" else "BI")
    if scheme == "bioes":
        sentences = [
            dataclasses.replace(sentence, tags=tuple(map(spelled, sentence.tags)))
            for sentence in sentences
        ]
        _refuse_broken(sentences)
    if scheme == "iob2":
        _refuse_stray(sentences)
    return [dataclasses.replace(sentence, tags=_iob2(sentence.tags)) for sentence in sentences]


def _iob2(tags: Sequence[str]) -> tuple[str, ...]:
    begins = (tag[0] in "BS" or _is_stray(before, tag) for before, tag in _pairs(tags))
    return tuple(
        tag if tag == OUTSIDE else ("B" if begin else "I") + tag[1:]
        for tag, begin in zip(tags, begins, strict=True)
    )


def _pairs(tags: Sequence[str]) -> Iterator[tuple[str, str]]:
    """Yield each tag after the one before it."""
    return zip((OUTSIDE, *tags), tags, strict=False)


def _goes_on(before: str, tag: str) -> bool:
    return OUTSIDE not in (before, tag) and before[2:] == tag[2:]


def _is_stray(before: str, tag: str) -> bool:
    """Whether an I- continues nothing."""
    return tag[0] == "I" and not _goes_on(before, tag)


def _is_broken(before: str, tag: str) -> bool:
    """Whether BIOES allows no such tag after the one before: an open entity has to go on."""
    is_open = before[0] in "BI"
    return is_open != (tag[0] in "IE") or (is_open and before[2:] != tag[2:])


def _refuse_stray(sentences: Iterable[Sentence]) -> None:
    places = [
        (sentence, index)
        for sentence in sentences
        for index, pair in enumerate(_pairs(sentence.tags))
        if _is_stray(*pair)
    ]
    if places:
        sentence, index = places[0]
        raise UserError(
            f"{sentence.place(index)}: tag {sentence.tags[index]!r} continues no entity, as "
            f"IOB2 wants it; nor do {len(places):,} in this file",
            "correct them; or --entities.scheme iob1 lets each begin an entity, as conlleval does",
        )


def _refuse_broken(sentences: Iterable[Sentence]) -> None:
    places = [
        (sentence, min(index, len(sentence.tags) - 1))
        for sentence in sentences
        for index, pair in enumerate(_pairs((*sentence.tags, OUTSIDE)))
        if _is_broken(*pair)
    ]
    if places:
        sentence, index = places[0]
        before = f" after {sentence.tags[index - 1]!r}" if index else ""
        raise UserError(
            f"{sentence.place(index)}: tag {sentence.tags[index]!r}{before} leaves an entity "
            f"without its begin or end; so do {len(places):,} in this file of BIOES tags",
            "an entity is B- I- E-, or S- for a single word; correct them",
        )


def _refuse_untagged(sentences: Iterable[Sentence], letters: str) -> None:
    known = {OUTSIDE}
    for sentence in sentences:
        for index, tag in enumerate(sentence.tags):
            if tag in known:
                continue
            if tag[1:2] != "-" or tag[0] not in letters or len(tag) == 2:
                raise UserError(
                    f"{sentence.place(index)}: {tag!r} is no tag",
                    f"a tag is O, or one of {' '.join(f'{letter}-' for letter in letters)} before "
                    "a type, as in B-PER; name the column of tags with --entities.tag",
                )
            known.add(tag)
