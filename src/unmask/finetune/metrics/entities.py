"""Entities in tag sequences (`B-PER`, `I-PER`, `O`), and how many of them were found.

A run is a tag and the tags that continue it: `I-` or `E-` of the same type, after `B-` or `I-`. In
the lenient reading of conlleval, by which CoNLL-2003 is scored and which is seqeval's default,
every run is an entity, so IOB1 and IOB2 read the same. The strict schemes take only the runs that
begin, and in IOBES end, as the scheme wants it.
"""

import dataclasses
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import Literal, NamedTuple, TypeAlias

from unmask.core.errors import UserError
from unmask.finetune.metrics.precision_recall import Score

Scheme: TypeAlias = Literal["conlleval", "IOB2", "IOBES"]
Tags: TypeAlias = Sequence[str]

PREFIXES: dict[Scheme, tuple[str, ...]] = {
    "conlleval": ("B-", "I-", "E-", "S-"),
    "IOB2": ("B-", "I-"),
    "IOBES": ("B-", "I-", "E-", "S-"),
}


class Entity(NamedTuple):
    """A stretch of tokens of one type, up to and without the token `end`."""

    type: str
    start: int
    end: int


@dataclasses.dataclass(frozen=True, slots=True)
class EntityScores:
    """Of all entities, whatever their type; one is found if its type and both ends are right."""

    precision: float
    recall: float
    f1: float
    support: int
    """Entities of the gold data."""
    accuracy: float
    """Share of tokens whose tag is right, `O` among them."""
    per_type: dict[str, Score]
    """Of each type that occurs, by name."""


def entities(tags: Tags, scheme: Scheme = "conlleval") -> list[Entity]:
    """List the entities of one sequence, in order; the tags are ones of the scheme."""
    return [
        Entity(tags[start][2:], start, end)
        for start, end in _runs(tags)
        if _well_formed(tags[start][0], tags[end - 1][0], scheme)
    ]


def entity_scores(
    gold: Sequence[Tags], predicted: Sequence[Tags], scheme: Scheme = "conlleval"
) -> EntityScores:
    """Score the tags of many sequences, as seqeval does (in its strict mode for IOB2 and IOBES).

    Raises:
        UserError: for no token at all, a sequence with too few or too many tags, and for what is
            no tag of the scheme.
    """
    _check_lengths(gold, predicted)
    for whose, sequences in (("gold", gold), ("predicted", predicted)):
        _check_tags(sequences, whose, scheme)
    there, said = _places(gold, scheme), _places(predicted, scheme)
    hits_of, there_of, said_of = (
        Counter(entity.type for _, entity in places) for places in (there & said, there, said)
    )
    overall = Score.of(len(there & said), len(said), len(there))
    return EntityScores(
        **dataclasses.asdict(overall),
        accuracy=_accuracy(gold, predicted),
        per_type={
            name: Score.of(hits_of[name], said_of[name], there_of[name])
            for name in sorted(there_of | said_of)
        },
    )


def _runs(tags: Tags) -> Iterator[tuple[int, int]]:
    start, before = 0, "O"
    for place, tag in enumerate([*tags, "O"]):
        continued = before[0] in "BI" and tag[0] in "IE" and tag[2:] == before[2:]
        if not continued:
            if before != "O":
                yield start, place
            start = place
        before = tag


def _well_formed(first: str, last: str, scheme: Scheme) -> bool:
    match scheme:
        case "conlleval":
            return True
        case "IOB2":
            return first == "B"
        case "IOBES":
            return (first, last) in {("S", "S"), ("B", "E")}


def _places(sequences: Iterable[Tags], scheme: Scheme) -> set[tuple[int, Entity]]:
    return {
        (number, entity)
        for number, tags in enumerate(sequences)
        for entity in entities(tags, scheme)
    }


def _accuracy(gold: Sequence[Tags], predicted: Sequence[Tags]) -> float:
    right = sum(
        tag == said
        for tags, guesses in zip(gold, predicted, strict=True)
        for tag, said in zip(tags, guesses, strict=True)
    )
    return right / sum(map(len, gold))


def _check_lengths(gold: Sequence[Tags], predicted: Sequence[Tags]) -> None:
    if len(gold) != len(predicted):
        raise UserError(
            f"{len(gold):,} gold sequences, but {len(predicted):,} predicted ones",
            "predict every sequence of the gold file, in its order",
        )
    for number, (tags, guesses) in enumerate(zip(gold, predicted, strict=True), start=1):
        if len(tags) != len(guesses):
            raise UserError(
                f"sequence {number:,}: {len(tags)} gold tags, but {len(guesses)} predicted ones",
                "each token needs one of both",
            )
    if not any(map(len, gold)):
        raise UserError("there are no tokens to score", "give sequences of tagged tokens")


def _check_tags(sequences: Sequence[Tags], whose: str, scheme: Scheme) -> None:
    known = {"O"}
    for number, tags in enumerate(sequences, start=1):
        for place, tag in enumerate(tags, start=1):
            if tag in known:
                continue
            if not tag or not tag.startswith(PREFIXES[scheme]) or len(tag) == 2:
                raise UserError(
                    f"sequence {number:,}, token {place:,}: {whose} tag {tag!r} is no {scheme} tag",
                    f"O, or one of {' '.join(PREFIXES[scheme])} before a type, as in B-PER",
                )
            known.add(tag)
