"""The rows of a table: a text, perhaps a second one, and what is to be told of them."""

import dataclasses
import math
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Generic, TypeVar

from unmask.core.errors import UserError
from unmask.finetune import packed
from unmask.finetune.data_config import ColumnsConfig
from unmask.finetune.table.records import Opening, Record, records

L = TypeVar("L")

SEPARATOR = "|"
"""Between the labels of one row."""


@dataclasses.dataclass(frozen=True, slots=True)
class Row(Generic[L]):
    """One example and where it stands."""

    text: str
    pair: str | None
    label: L
    """A name, several, a number, or None where there is nothing to learn."""
    place: str


def read(path: Path, columns: ColumnsConfig, *, labelled: bool = True) -> list[Row[str]]:
    """Read every row with the name of its class; "" for all where none was asked for.

    UserError for a missing column, an empty cell or a damaged file.
    """
    if not labelled:
        return [Row(row.text, row.pair, "", row.place) for row in read_texts(path, columns)]
    return _rows(path, columns, lambda record, place: _cell(record, columns.label, place))


def read_several(
    path: Path, columns: ColumnsConfig, separator: str = SEPARATOR
) -> list[Row[tuple[str, ...]]]:
    """Read every row with the names of its labels: `a|b`, or a list where the format has lists.

    An empty cell is a row with none of them. UserError, further, for a label named twice.
    """

    def label_of(record: Record, place: str) -> tuple[str, ...]:
        return _several(record, place, columns.label, separator)

    return _rows(path, columns, label_of)


def read_numbers(path: Path, columns: ColumnsConfig) -> list[Row[float]]:
    """Read every row with a number; UserError, further, for what is none or not finite."""
    return _rows(
        path, columns, lambda record, place: number(_cell(record, columns.label, place), place)
    )


def read_texts(path: Path, columns: ColumnsConfig) -> list[Row[None]]:
    """Read the texts alone; the column of labels need not be there."""
    return list(each_text(path, columns))


def each_text(
    path: Path, columns: ColumnsConfig, opening: Opening = packed.opened
) -> Iterator[Row[None]]:
    """Yield the texts alone, row by row as they are read; UserError at the end if there are none.

    `opening` says how the file is read, as `records` has it.
    """
    return _each(path, columns, lambda *_: None, opening)


def number(cell: str, place: str) -> float:
    """Read a finite number; UserError for anything else."""
    try:
        value = float(cell)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise UserError(
            f"{place}: {cell!r} is not a number", "write it as 3.5; leave out rows without one"
        )
    return value


def _rows(path: Path, columns: ColumnsConfig, label_of: Callable[[Record, str], L]) -> list[Row[L]]:
    return list(_each(path, columns, label_of, packed.opened))


def _each(
    path: Path, columns: ColumnsConfig, label_of: Callable[[Record, str], L], opening: Opening
) -> Iterator[Row[L]]:
    row = 0
    for row, record in records(path, columns.names, opening):
        place = f"{path}: row {row}"
        text = _cell(record, columns.text, place)
        pair = _cell(record, columns.pair, place) if columns.pair else None
        yield Row(text, pair, label_of(record, place), place)
    if not row:
        raise UserError(f"{path}: has no rows", "give a table with a header and examples")


def _several(record: Record, place: str, column: str, separator: str) -> tuple[str, ...]:
    value = _value(record, column, place)
    if _is_empty(value):
        return ()
    parts = value if isinstance(value, list) else str(value).split(separator)
    names = tuple(str(part).strip() for part in parts)
    if "" in names or len(set(names)) < len(names):
        fault = "an empty label" if "" in names else "a label twice"
        raise UserError(
            f"{place}: column {column!r} has {fault}: {separator.join(names)!r}",
            f"name each label once, with {separator!r} between two",
        )
    return names


def _cell(record: Record, column: str, place: str) -> str:
    value = _value(record, column, place)
    if _is_empty(value):
        raise UserError(f"{place}: column {column!r} is empty", "fill it or leave out the row")
    if isinstance(value, list | dict):
        raise UserError(
            f"{place}: column {column!r} holds a {type(value).__name__}, not a text or a number",
            "write one value into each cell",
        )
    return str(value)


def _value(record: Record, column: str, place: str) -> Any:  # noqa: ANN401 (as JSON and Parquet have it)
    if column not in record:
        raise UserError(
            f"{place}: no column {column!r}; there is {', '.join(map(repr, record))}",
            "name the columns with --columns.text, --columns.pair and --columns.label; if the "
            "first line is no header, with --columns.names, too",
        )
    return record[column]


def _is_empty(value: object) -> bool:
    """Nothing, or blanks alone; NaN is how data frames write a missing cell."""
    if isinstance(value, float):
        return math.isnan(value)
    return value is None or value == [] or (isinstance(value, str) and not value.strip())
