"""RACE: English examinations of middle and high schools (Lai et al. 2017, sections 3 and 4)."""

from collections.abc import Iterator
from pathlib import Path
from typing import Literal

from unmask.core.errors import UserError
from unmask.finetune import packed, split_files
from unmask.finetune.choice import checks, fields
from unmask.finetune.choice.example import Question
from unmask.finetune.table.records import Record, records

PARTS = ("middle", "high")
Part = Literal["all", "middle", "high"]


def read(folder: Path, split: str, part: Part = "all") -> list[Question]:
    """Read the questions of a split (train, dev, test): its passages in order, middle before high.

    The folder holds `SPLIT/PART/*.txt` as RACE is given out, one passage a file, or
    `SPLIT.PART.jsonl`, plain or packed, one passage a line. Question n of the passage P has the id
    `P-n`, from 0. UserError for what is missing or wrong, with its place.
    """
    questions = [
        question
        for name in (PARTS if part == "all" else (part,))
        for path in files(folder, split, name)
        for place, passage in _passages(path)
        for question in _questions(passage, name, place)
    ]
    return checks.whole(questions, folder)


def files(folder: Path, split: str, part: str) -> list[Path]:
    """Find the files of one part of a split, in the order in which they are read."""
    official = folder / split / part
    stem = f"{split}.{part}"
    packed = sorted(folder.glob(f"{stem}.jsonl*"))
    if official.is_dir() and packed:
        raise UserError(
            f"{folder}: has {split}/{part} and {packed[0].name}", "keep the one that is meant"
        )
    if not official.is_dir() and not packed:
        raise UserError(
            f"{folder}: has neither {split}/{part}/ nor {stem}.jsonl",
            "name the folder of RACE that holds its splits, and of its parts one that is there",
        )
    if packed:
        return [split_files.find(folder, (stem,), (".jsonl",))]
    # By number: 2.txt before 10.txt.
    return sorted(official.glob("*.txt"), key=lambda path: (len(path.name), path.name))


def _passages(path: Path) -> Iterator[tuple[str, Record]]:
    if path.suffix != ".txt":
        for row, passage in records(path):
            yield f"{path}: row {row}", passage
        return
    passage = packed.json_value(path)
    if not isinstance(passage, dict):
        raise UserError(f"{path}: not a JSON object", "one passage a file")
    yield str(path), passage


def _questions(passage: Record, part: str, place: str) -> Iterator[Question]:
    article = fields.text(passage, "article", place)
    name = fields.text(passage, "id", place)
    columns = [fields.items(passage, "questions", place), fields.items(passage, "options", place)]
    answered = "answers" in passage
    if answered:
        columns.append(fields.items(passage, "answers", place))
    if len({len(column) for column in columns}) != 1:
        counts = ", ".join(str(len(column)) for column in columns)
        raise UserError(
            f"{place}: questions, options and answers differ in number ({counts})",
            "give every question its options and its answer",
        )
    for index, (question, options, *answer) in enumerate(zip(*columns, strict=True)):
        where = f"{place}: question {index + 1}"
        choices = fields.options(fields.a_list(options, f"{where}: its options"), where)
        yield Question(
            id=f"{name}-{index}",
            passage=article,
            question=fields.a_text(question, where),
            options=choices,
            gold=fields.letter(answer[0], len(choices), where) if answered else None,
            place=where,
            part=part,
        )
