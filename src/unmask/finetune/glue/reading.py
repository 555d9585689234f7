"""The rows of GLUE's files, in the official layout or that of the known mirrors."""

import dataclasses
from collections.abc import Iterator, Sequence
from itertools import chain
from pathlib import Path

from unmask.core.errors import UserError
from unmask.core.progress import say
from unmask.finetune.glue.tasks import Task
from unmask.finetune.table import Row
from unmask.finetune.table.records import cells
from unmask.finetune.table.rows import number


@dataclasses.dataclass(frozen=True, slots=True)
class _Line:
    """The cells of one row by column; none if the row is torn."""

    columns: dict[str, str]
    place: str


def read_classes(path: Path, task: Task) -> list[Row[str]]:
    """Read labelled rows; labels are the task's names.

    UserError for a missing column, an empty cell, and a label that the task does not have.
    """
    assert task.labels
    return [
        Row(line.columns[task.text], _pair(line, task), _label(line, task), line.place)
        for line in _labelled(path, task)
    ]


def read_numbers(path: Path, task: Task) -> list[Row[float]]:
    """Read rows with their numbers; UserError, further, for one out of the task's range."""
    assert task.range
    return [
        Row(line.columns[task.text], _pair(line, task), _number(line, task), line.place)
        for line in _labelled(path, task)
    ]


def read_test(path: Path, task: Task) -> tuple[list[str], list[Row[None]]]:
    """Read rows to be predicted, and the index under which a submission names each.

    Rows of a file without such a column are counted from 0. A text may be empty: the official
    files have such rows, and they, too, must be predicted.
    """
    whole = dataclasses.replace(task, torn=False)
    lines = _some(list(_lines(path, whole, (task.text, task.pair))), path)
    rows = [Row(line.columns[task.text], _pair(line, task), None, line.place) for line in lines]
    indices = [line.columns.get(task.index, str(count)) for count, line in enumerate(lines)]
    return indices, rows


def _labelled(path: Path, task: Task) -> list[_Line]:
    """The rows to learn from; those that no one learns from are counted and said."""
    wanted = [column for column in (task.text, task.pair, task.label) if column]
    torn = undecided = 0
    lines = []
    for line in _lines(path, task, wanted):
        empty = [column for column in wanted if not line.columns.get(column, "").strip()]
        if empty and task.torn:
            torn += 1
        elif empty:
            raise UserError(
                f"{line.place}: column {empty[0]!r} is empty", "fill it or leave out the row"
            )
        elif task.unlabelled and line.columns[task.label] == task.unlabelled:
            undecided += 1
        else:
            lines.append(line)
    if torn:
        say(f"{path}: left out {torn:,} rows with missing cells, as published scores do")
    if undecided:
        say(f"{path}: left out {undecided:,} rows on which the annotators did not agree")
    return _some(lines, path)


def _lines(path: Path, task: Task, wanted: Sequence[str | None]) -> Iterator[_Line]:
    """Every row by column; the first line is a header if it names the column of the text."""
    found = cells(path)
    first = next(found, None)
    if first is None:
        return
    header = tuple(first)
    if task.text not in first:
        header, found = task.headerless, chain([first], found)
    if missing := [column for column in wanted if column and column not in header]:
        raise UserError(
            f"{path}: no column {missing[0]!r} of {task.name}; there is "
            f"{', '.join(map(repr, header or first))}",
            f"give the file as {task.folder} has it in GLUE's download",
        )
    for count, row in enumerate(found, start=1):
        place = f"{path}: row {count}"
        if len(row) != len(header) and not task.torn:
            raise UserError(
                f"{place}: {len(row)} cells where {task.name} has {len(header)}",
                "give the file as it was published; a .tsv cell holds no tab and no line end",
            )
        whole = row if len(row) == len(header) else []
        yield _Line(dict(zip(header, whole, strict=False)), place)


def _pair(line: _Line, task: Task) -> str | None:
    return line.columns[task.pair] if task.pair else None


def _label(line: _Line, task: Task) -> str:
    written = line.columns[task.label]
    if written not in task.written:
        raise UserError(
            f"{line.place}: column {task.label!r} is {written!r}, which is no label of {task.name}",
            f"one of {', '.join(task.written)}",
        )
    return task.labels[task.written.index(written)]


def _number(line: _Line, task: Task) -> float:
    assert task.range
    low, high = task.range
    value = number(line.columns[task.label], line.place)
    if not low <= value <= high:
        raise UserError(
            f"{line.place}: column {task.label!r} is {value:g}, out of the range of {task.name}",
            f"from {low:g} to {high:g}",
        )
    return value


def _some(lines: list[_Line], path: Path) -> list[_Line]:
    if not lines:
        raise UserError(f"{path}: has no rows", "give a file with examples")
    return lines
