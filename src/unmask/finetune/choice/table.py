"""Questions in a table, as COPA's, HellaSwag's or one's own: a row each, options in columns."""

import dataclasses
from pathlib import Path
from typing import Literal

from unmask.core.errors import UserError
from unmask.finetune.choice import checks, fields
from unmask.finetune.choice.example import Question
from unmask.finetune.table.records import Record, records

Answers = Literal["from-0", "from-1", "letters"]


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class ChoiceColumns:
    """Which columns of a table hold what."""

    options: tuple[str, ...]
    """One column for each option, or the one column whose cells are lists of them."""
    answers: Answers
    """How the answers are written: numbers counted from 0 or from 1, or the letters A, B, C..."""
    label: str = "label"
    """Column of the answer."""
    passage: str | None = None
    """Column of the text that the question is about."""
    question: str | None = None
    """Column of the question, or of the beginning that the options go on with."""
    id: str | None = None
    """Column of the id; without one, rows are numbered from 1."""
    names: tuple[str, ...] | None = None
    """Names of all columns, in order, of a .tsv or .csv without a header."""

    def __post_init__(self) -> None:
        if not self.options:
            raise UserError("no column of options is named", "--choices.options names them")
        if self.passage is None and self.question is None:
            raise UserError(
                "neither a column of passages nor one of questions is named",
                "--choices.passage, --choices.question or both name what the options belong to",
            )


def read(path: Path, columns: ChoiceColumns) -> list[Question]:
    """Read every row with its answer; UserError for what is missing or wrong, with its place."""
    questions = [
        dataclasses.replace(question, gold=_gold(record, columns, question))
        for record, question in _rows(path, columns)
    ]
    return checks.whole(questions, path)


def read_texts(path: Path, columns: ChoiceColumns) -> list[Question]:
    """Read the questions alone; the column of answers need not be there."""
    return checks.whole([question for _, question in _rows(path, columns)], path)


def _rows(path: Path, columns: ChoiceColumns) -> list[tuple[Record, Question]]:
    return [
        (record, question(record, columns, row, f"{path}: row {row}"))
        for row, record in records(path, columns.names)
    ]


def question(record: Record, columns: ChoiceColumns, row: int, place: str) -> Question:
    """Read the question of one row, without its answer; UserError names `place`."""
    found = [fields.value(record, name, place) for name in columns.options]
    if len(found) == 1 and isinstance(found[0], list):
        found = found[0]
    return Question(
        id=fields.text(record, columns.id, place) if columns.id else str(row),
        passage=fields.text(record, columns.passage, place) if columns.passage else "",
        question=fields.text(record, columns.question, place) if columns.question else "",
        options=fields.options(found, place),
        gold=None,
        place=place,
    )


def _gold(record: Record, columns: ChoiceColumns, question: Question) -> int:
    answer = fields.value(record, columns.label, question.place)
    count = len(question.options)
    match columns.answers:
        case "from-0":
            return fields.number(answer, 0, count, question.place)
        case "from-1":
            return fields.number(answer, 1, count, question.place)
        case "letters":
            return fields.letter(answer, count, question.place)
