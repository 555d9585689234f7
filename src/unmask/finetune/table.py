"""Labelled tables: .tsv, .csv, .jsonl and .parquet, plain or packed."""

import csv
import dataclasses
import io
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import IO, Any

import pyarrow.parquet as pq

from unmask.core.errors import UserError
from unmask.corpus.inputs.packing import DAMAGE, unpacked
from unmask.corpus.inputs.sources import PACKINGS, suffixes
from unmask.finetune.config import ColumnsConfig

FORMATS = (".tsv", ".csv", ".jsonl", ".parquet")
WITH_HEADER = (".tsv", ".csv")
"""Their first line names the columns, unless the user does."""

Record = Mapping[str, Any]


@dataclasses.dataclass(frozen=True, slots=True)
class Row:
    """One example and where it stands."""

    text: str
    pair: str | None
    label: str
    """Empty where no label was asked for."""
    place: str


def find(folder: Path, split: str) -> Path:
    """Find the one table of a split in a folder."""
    names = [f"{split}{suffix}{packing}" for suffix in FORMATS for packing in ("", *PACKINGS)]
    found = [folder / name for name in names if (folder / name).is_file()]
    if len(found) != 1:
        what = f"has {' and '.join(path.name for path in found)}" if found else f"has no {split}.*"
        raise UserError(
            f"{folder}: {what}", f"put one {split} table there ({', '.join(FORMATS)}, also .gz)"
        )
    return found[0]


def read(path: Path, columns: ColumnsConfig, *, labelled: bool = True) -> list[Row]:
    """Read every row; UserError for a missing column, an empty cell or a damaged file."""
    rows = []
    for number, record in enumerate(_records(path, columns.names), start=1):
        place = f"{path}: row {number}"
        text = _cell(record, columns.text, place)
        pair = _cell(record, columns.pair, place) if columns.pair else None
        label = _cell(record, columns.label, place) if labelled else ""
        rows.append(Row(text, pair, label, place))
    if not rows:
        raise UserError(f"{path}: has no rows", "give a table with a header and examples")
    return rows


def _cell(record: Record, column: str, place: str) -> str:
    if column not in record:
        raise UserError(
            f"{place}: no column {column!r}; there is {', '.join(map(repr, record))}",
            "name the columns with --columns.text, --columns.pair and --columns.label; if the "
            "first line is no header, with --columns.names, too",
        )
    if record[column] is None or str(record[column]) == "":
        raise UserError(f"{place}: column {column!r} is empty", "fill it or leave out the row")
    return str(record[column])


def _records(path: Path, names: tuple[str, ...] | None) -> Iterator[Record]:
    suffix, packing = suffixes(path)
    if suffix not in FORMATS:
        raise UserError(f"{path}: unknown kind of table", f"one of {', '.join(FORMATS)}")
    if names and suffix not in WITH_HEADER:
        raise UserError(
            f"{path}: --columns.names {' '.join(names)}: a {suffix} table names its own columns",
            "leave out --columns.names",
        )
    try:
        with path.open("rb") as file:
            stream = io.BytesIO(unpacked(file, packing).read())
        yield from _parsed(stream, suffix, path, names)
    except FileNotFoundError:
        raise UserError(f"{path}: no such file", "check the path") from None
    except UnicodeDecodeError as error:
        raise UserError(
            f"{path}: not UTF-8 ({error.reason} at byte {error.start})", "convert it to UTF-8"
        ) from None
    except DAMAGE as error:
        if getattr(error, "errno", None) is not None:
            raise
        raise UserError(f"{path}: damaged ({error})", "fetch or write it again") from None


def _parsed(
    stream: IO[bytes], suffix: str, path: Path, names: tuple[str, ...] | None
) -> Iterator[Record]:
    if suffix == ".parquet":
        yield from pq.read_table(stream).to_pylist()
        return
    lines = io.TextIOWrapper(stream, encoding="utf-8-sig", newline="")
    match suffix:
        case ".jsonl":
            yield from _json_lines(lines, path)
        case ".csv":
            yield from _cells(csv.reader(lines, strict=True), path, names)
        case ".tsv":  # the official GLUE files hold lone quotes, so none is special
            reader = csv.reader(lines, delimiter="\t", quoting=csv.QUOTE_NONE)
            yield from _cells(reader, path, names)


def _cells(
    rows: Any,  # noqa: ANN401
    path: Path,
    names: tuple[str, ...] | None,
) -> Iterator[Record]:
    whose = "--columns.names has" if names else "the header has"
    try:
        header: list[str] = list(names) if names else next(rows, [])
        for number, cells in enumerate(rows, start=1):
            if cells and len(cells) != len(header):
                raise UserError(
                    f"{path}: row {number}: {len(cells)} cells where {whose} {len(header)}",
                    "quote .csv cells that hold commas; a .tsv cell holds no tab and no line end",
                )
            if cells:
                yield dict(zip(header, cells, strict=True))
    except csv.Error as error:
        raise UserError(f"{path}: line {rows.line_num}: {error}", "mend the quotes there") from None


def _json_lines(lines: IO[str], path: Path) -> Iterator[Record]:
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            record = json.loads(line)
        except json.JSONDecodeError as error:
            raise UserError(f"{path}: line {number}: no JSON ({error})", "mend the line") from None
        if not isinstance(record, dict):
            raise UserError(f"{path}: line {number}: not a JSON object", "one object a line")
        yield record
