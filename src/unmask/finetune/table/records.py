"""Tables as they lie on disk: .tsv, .csv, .jsonl and .parquet, plain or packed."""

import csv
import json
import re
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
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
Opening: TypeAlias = Callable[[Path], AbstractContextManager[IO[bytes]]]
"""Gives the unpacked bytes of a file; a .parquet has to be read here and there."""

ROWS_AT_ONCE = 1024
"""Rows of a .parquet that are held at once."""

_PARQUET_BUFFER_BYTES = 1 << 20
_OLD_LINE_END = re.compile(r"(?<=\r)(?!\n)")


def find(folder: Path, split: str) -> Path:
    """Find the one table of a split in a folder."""
    return split_files.find(folder, (split,), FORMATS)


def records(
    path: Path, names: Sequence[str] | None = None, opening: Opening = packed.opened
) -> Iterator[Numbered]:
    """Yield every row with its number, from 1; a header and empty lines are none.

    `names` are the columns of a .tsv or .csv without a header. Rows come as they are read; how
    much of the file is held is for `opening` to say. UserError for a file that is damaged, no
    table or not UTF-8, for a row of another width, and for two columns of one name.
    """
    suffix, _ = suffixes(path)
    if suffix not in FORMATS:
        raise UserError(f"{path}: unknown kind of table", f"one of {', '.join(FORMATS)}")
    if suffix in WITH_HEADER:
        yield from _named(path, names, opening)
        return
    if names:
        raise UserError(
            f"{path}: --columns.names {' '.join(names)}: a {suffix} table names its own columns",
            "leave out --columns.names",
        )
    with opening(path) as stream:
        if suffix == ".parquet":
            yield from enumerate(_parquet_rows(stream), start=1)
        else:
            yield from _json_lines(_lines(stream, path), path)


def cells(path: Path, opening: Opening = packed.opened) -> Iterator[list[str]]:
    """Yield the cells of every line that is not empty: of a .csv, or else between tabs.

    Between tabs no character is special: GLUE's files hold lone quotes.
    """
    suffix, _ = suffixes(path)
    # Python's own limit, 131072 characters, is for forms and not for documents.
    csv.field_size_limit(sys.maxsize)
    with opening(path) as stream:
        lines = _lines(stream, path)
        if suffix == ".csv":
            rows = csv.reader(lines, strict=True)
        else:
            rows = csv.reader(lines, delimiter="\t", quoting=csv.QUOTE_NONE)
        try:
            yield from filter(None, rows)
        except csv.Error as error:
            raise UserError(
                f"{path}: line {rows.line_num}: {error}", "mend the quotes there"
            ) from None


def _lines(stream: IO[bytes], path: Path) -> Iterator[str]:
    """Yield lines with their ends, as text files have them that are opened with newline=""."""
    for number, line in enumerate(stream, start=1):
        try:
            text = line.decode("utf-8-sig" if number == 1 else "utf-8")
        except UnicodeDecodeError as error:
            raise UserError(
                f"{path}: line {number} is not UTF-8 ({error.reason})", "convert it to UTF-8"
            ) from None
        yield from filter(None, _OLD_LINE_END.split(text))


def _parquet_rows(stream: IO[bytes]) -> Iterator[Record]:
    table = pq.ParquetFile(stream, buffer_size=_PARQUET_BUFFER_BYTES)
    for batch in table.iter_batches(batch_size=ROWS_AT_ONCE):
        yield from batch.to_pylist()


def _named(path: Path, names: Sequence[str] | None, opening: Opening) -> Iterator[Numbered]:
    lines = cells(path, opening)
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


def _json_lines(lines: Iterable[str], path: Path) -> Iterator[Numbered]:
    held = ((number, line) for number, line in enumerate(lines, start=1) if line.strip())
    for row, (number, line) in enumerate(held, start=1):
        try:
            record = json.loads(line)
        except json.JSONDecodeError as error:
            raise UserError(f"{path}: line {number}: no JSON ({error})", "mend the line") from None
        if not isinstance(record, dict):
            raise UserError(f"{path}: line {number}: not a JSON object", "one object a line")
        yield row, record
