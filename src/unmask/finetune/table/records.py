"""Tables as they lie on disk: .tsv, .csv, .jsonl and .parquet, plain or packed."""

import csv
import io
import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import IO, Any, TypeAlias

import pyarrow.parquet as pq

from unmask.core.errors import UserError
from unmask.corpus.inputs.sources import suffixes
from unmask.finetune import packed, split_files

FORMATS = (".tsv", ".csv", ".jsonl", ".parquet")
WITH_HEADER = (".tsv", ".csv")
"""Their first line names the columns, unless the user does."""

Record: TypeAlias = Mapping[str, Any]
Numbered: TypeAlias = tuple[int, Record]


def find(folder: Path, split: str) -> Path:
    """Find the one table of a split in a folder."""
    return split_files.find(folder, (split,), FORMATS)


def records(path: Path, names: Sequence[str] | None = None) -> Iterator[Numbered]:
    """Yield every row with its number, from 1; a header and empty lines are none.

    `names` are the columns of a .tsv or .csv without a header. UserError for a file that is
    damaged, no table or not UTF-8, for a row of another width, and for two columns of one name.
    """
    suffix, _ = suffixes(path)
    if suffix not in FORMATS:
        raise UserError(f"{path}: unknown kind of table", f"one of {', '.join(FORMATS)}")
    if suffix in WITH_HEADER:
        yield from _named(path, names)
        return
    if names:
        raise UserError(
            f"{path}: --columns.names {' '.join(names)}: a {suffix} table names its own columns",
            "leave out --columns.names",
        )
    with packed.opened(path) as stream:
        if suffix == ".parquet":
            yield from enumerate(pq.read_table(stream).to_pylist(), start=1)
        else:
            yield from _json_lines(_text(stream), path)


def cells(path: Path) -> Iterator[list[str]]:
    """Yield the cells of every line that is not empty: of a .csv, or else between tabs.

    Between tabs no character is special: GLUE's files hold lone quotes.
    """
    suffix, _ = suffixes(path)
    # Python's own limit, 131072 characters, is for forms and not for documents.
    csv.field_size_limit(sys.maxsize)
    with packed.opened(path) as stream:
        if suffix == ".csv":
            rows = csv.reader(_text(stream), strict=True)
        else:
            rows = csv.reader(_text(stream), delimiter="\t", quoting=csv.QUOTE_NONE)
        try:
            yield from filter(None, rows)
        except csv.Error as error:
            raise UserError(
                f"{path}: line {rows.line_num}: {error}", "mend the quotes there"
            ) from None


def _text(stream: IO[bytes]) -> io.TextIOWrapper:
    return io.TextIOWrapper(stream, encoding="utf-8-sig", newline="")


def _named(path: Path, names: Sequence[str] | None) -> Iterator[Numbered]:
    lines = cells(path)
    header = list(names) if names else next(lines, [])
    whose = "--columns.names has" if names else "the header has"
    if twice := [name for name in header if header.count(name) > 1]:
        raise UserError(f"{path}: {whose} two columns {twice[0]!r}", "give each its own name")
    for number, row in enumerate(lines, start=1):
        if len(row) != len(header):
            raise UserError(
                f"{path}: row {number}: {len(row)} cells where {whose} {len(header)}",
                "quote .csv cells that hold commas; a .tsv cell holds no tab and no line end",
            )
        yield number, dict(zip(header, row, strict=True))


def _json_lines(lines: IO[str], path: Path) -> Iterator[Numbered]:
    held = ((number, line) for number, line in enumerate(lines, start=1) if line.strip())
    for row, (number, line) in enumerate(held, start=1):
        try:
            record = json.loads(line)
        except json.JSONDecodeError as error:
            raise UserError(f"{path}: line {number}: no JSON ({error})", "mend the line") from None
        if not isinstance(record, dict):
            raise UserError(f"{path}: line {number}: not a JSON object", "one object a line")
        yield row, record
