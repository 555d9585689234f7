"""Questions in SQuAD's JSON, 1.1 and 2.0, plain or packed."""

import dataclasses
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, TypeVar

from unmask.core.errors import UserError
from unmask.finetune import packed

LAYOUT = "SQuAD's layout is data > paragraphs > context, qas > id, question, answers"
KINDS = {list: "a list", str: "a text", int: "a whole number", bool: "true or false"}
SHOWN = 40
"""Characters of a text that an error repeats."""

T = TypeVar("T")


@dataclasses.dataclass(frozen=True, slots=True)
class Reference:
    """An answer as a person gave it: `text` stands in the context from character `start` on."""

    text: str
    start: int

    @property
    def end(self) -> int:
        """The character after its last."""
        return self.start + len(self.text)


@dataclasses.dataclass(frozen=True, slots=True)
class Question:
    """One question, the text it is asked of, and where it stands in the file."""

    id: str
    question: str
    context: str
    references: tuple[Reference, ...]
    """Every answer that counts as right; none where the context holds no answer."""
    place: str
    article: str = ""
    """Title of what the context is from; empty where it has none."""

    @property
    def impossible(self) -> bool:
        """Tell whether the context holds no answer."""
        return not self.references


def read(path: Path) -> list[Question]:
    """Read questions with their answers.

    A question without answers is impossible, as in SQuAD 2.0. UserError for a field that is
    missing, empty or of another kind, an id that comes twice, an answer that does not stand where
    it says, and an answer to an impossible question.
    """
    questions = _distinct(_questions(path, answered=True), path)
    _refuse_misplaced(questions, path)
    return questions


def read_unanswered(path: Path) -> list[Question]:
    """Read questions alone, to be answered; answers that stand there are not looked at."""
    return _distinct(_questions(path, answered=False), path)


def _distinct(questions: Iterator[Question], path: Path) -> list[Question]:
    by_id: dict[str, Question] = {}
    for question in questions:
        if question.id in by_id:
            raise UserError(
                f"{question.place}: comes twice", "give every question an id of its own"
            )
        by_id[question.id] = question
    if not by_id:
        raise UserError(f"{path}: has no questions", LAYOUT)
    return list(by_id.values())


def _questions(path: Path, *, answered: bool) -> Iterator[Question]:
    for number, article in enumerate(_field(packed.json_value(path), "data", list, str(path))):
        place = f"{path}: data[{number}]"
        paragraphs = _field(article, "paragraphs", list, place)
        title = _field(article, "title", str, place) if "title" in article else ""
        for inner, paragraph in enumerate(paragraphs):
            where = f"{place}.paragraphs[{inner}]"
            context = _text(paragraph, "context", where)
            for record in _field(paragraph, "qas", list, where):
                id_ = str(_field(record, "id", (str, int), f"{where}.qas"))
                at = f"{path}: question {id_!r}"
                references = _references(record, at) if answered else ()
                yield Question(id_, _text(record, "question", at), context, references, at, title)


def _references(record: dict[str, Any], place: str) -> tuple[Reference, ...]:
    references = tuple(
        Reference(_text(answer, "text", place), _field(answer, "answer_start", int, place))
        for answer in _field(record, "answers", list, place)
    )
    impossible = _field(record, "is_impossible", bool, place) if "is_impossible" in record else None
    if impossible and references:
        raise UserError(
            f"{place}: is_impossible, yet it has {len(references)} answers",
            "take out the answers (SQuAD 2.0 has them under plausible_answers) or is_impossible",
        )
    if impossible is False and not references:
        raise UserError(
            f"{place}: has no answers, yet is_impossible is false",
            "give it an answer, or say that it is impossible",
        )
    return references


def _refuse_misplaced(questions: list[Question], path: Path) -> None:
    """Raise UserError with the first answer that does not stand where it says, and their number."""
    misplaced = [
        (question, reference)
        for question in questions
        for reference in question.references
        if reference.start < 0 or not question.context.startswith(reference.text, reference.start)
    ]
    if not misplaced:
        return
    question, reference = misplaced[0]
    length = len(question.context)
    found = (
        f"{_short(question.context[reference.start : reference.end])!r} stands there"
        if 0 <= reference.start < length
        else f"the context has {length} characters"
    )
    total = sum(len(question.references) for question in questions)
    raise UserError(
        f"{question.place}: answer {_short(reference.text)!r} at answer_start {reference.start}, "
        f"but {found}; so it is with {len(misplaced):,} of {total:,} answers of {path.name}",
        "answer_start counts characters (code points) from 0, not bytes; "
        + _nearest(question.context, reference),
    )


def _nearest(context: str, reference: Reference) -> str:
    starts = []
    start = context.find(reference.text)
    while start >= 0:
        starts.append(start)
        start = context.find(reference.text, start + 1)
    if not starts:
        return "this text stands nowhere in the context"
    return f"the text stands at {min(starts, key=lambda start: abs(start - reference.start))}"


def _short(text: str) -> str:
    return text if len(text) <= SHOWN else text[: SHOWN - 1] + "…"


def _text(record: object, name: str, place: str) -> str:
    text = _field(record, name, str, place)
    if not text.strip():
        raise UserError(f"{place}: {name!r} is empty", "fill it, or take it out of the file")
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise UserError(
            f"{place}: {name!r} is no Unicode text: half a surrogate pair at character "
            f"{error.start}",
            "write the character whole",
        ) from None
    return text


def _field(record: object, name: str, kind: type[T] | tuple[type[T], ...], place: str) -> T:
    kinds = kind if isinstance(kind, tuple) else (kind,)
    if not isinstance(record, dict) or name not in record:
        raise UserError(f"{place}: has no {name!r}", LAYOUT)
    value = record[name]
    if not isinstance(value, kinds) or (isinstance(value, bool) and bool not in kinds):
        expected = " or ".join(KINDS[each] for each in kinds)
        raise UserError(f"{place}: {name!r} is {_short(json.dumps(value))}, not {expected}", LAYOUT)
    return value
