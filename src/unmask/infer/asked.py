"""Questions for `unmask predict`: of flags, of a table, or as SQuAD's JSON has them."""

import dataclasses
from collections.abc import Iterator
from pathlib import Path

from unmask.core.errors import UserError
from unmask.finetune.choice.example import Question as Choice
from unmask.finetune.choice.table import ChoiceColumns, question
from unmask.finetune.squad.read import Question, read_unanswered
from unmask.finetune.table.records import Opening, records
from unmask.infer import texts
from unmask.infer.config import PredictConfig
from unmask.infer.reading import opened


def questions(config: PredictConfig, opening: Opening = opened) -> Iterator[Question]:
    """Yield questions, each with the text that holds its answer, as they come in.

    SQuAD's JSON is one value, and so it is read whole. UserError for a text without a question.
    """
    if config.input is not None and config.file_kind == ".json":
        return iter(read_unanswered(config.input))
    return (
        _asked(config, item, number)
        for number, item in enumerate(texts.read(config, opening), start=1)
    )


def choices(config: PredictConfig, opening: Opening = opened) -> Iterator[Choice]:
    """Yield questions with their options, of a table or of flags and texts, as they come in.

    An id may come twice, as nothing is looked up by it. UserError for options given twice or not
    at all, and for a table without rows.
    """
    if config.input is not None and config.table:
        if config.question is not None or config.option:
            raise UserError(
                f"--question, --option: {config.input} has questions and options of its own",
                "leave them out",
            )
        columns = ChoiceColumns(**dataclasses.asdict(config.choices))
        return _of_table(config.input, columns, opening)
    if len(config.option) < 2:
        raise UserError(
            f"--option: {len(config.option)} given, and {config.model} chooses one of several",
            "give --option A B ..., or a table by --input",
        )
    return (
        _with_options(config, item, number)
        for number, item in enumerate(texts.read(config, opening), start=1)
    )


def _asked(config: PredictConfig, item: texts.Text, number: int) -> Question:
    asked = config.question or item.pair
    if not asked:
        raise UserError(
            f"text {number}: has no question, and {config.model} answers questions",
            "give --question, a table with --pair-column, or a .json as SQuAD has",
        )
    return Question(str(number), asked, item.text, (), f"text {number}")


def _of_table(path: Path, columns: ChoiceColumns, opening: Opening) -> Iterator[Choice]:
    row = 0
    for row, record in records(path, columns.names, opening):
        yield question(record, columns, row, f"{path}: row {row}")
    if not row:
        raise UserError(f"{path}: has no questions", "give a file with one or more")


def _with_options(config: PredictConfig, item: texts.Text, number: int) -> Choice:
    return Choice(
        id=str(number),
        passage=item.text if config.question else "",
        question=config.question or item.text,
        options=config.option,
        gold=None,
        place=f"text {number}",
    )
