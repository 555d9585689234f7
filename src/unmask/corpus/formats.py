"""The raw documents of one file: text, JSON lines, CSV, TSV and Parquet, packed or plain.

Whatever cannot be decoded becomes a lone surrogate, which no valid text holds; so one check per
document finds undecodable bytes in every format, and half of a surrogate pair in JSON as well.
"""

import codecs
import csv
import io
import json
import os
import re
import reprlib
import shutil
import sys
import tempfile
import textwrap
from collections.abc import Callable, Iterable, Iterator
from typing import IO, TYPE_CHECKING, NamedTuple

import pyarrow as pa
import pyarrow.parquet as pq

from unmask.core.errors import UserError
from unmask.corpus.config import CorpusConfig
from unmask.corpus.packing import DAMAGE, unpacked
from unmask.corpus.sources import Source, suffixes

if TYPE_CHECKING:
    from _csv import Reader

UNDECODABLE = re.compile("[\ud800-\udfff]")
LARGEST_TXT_DOCUMENT = 1 << 28
"""Characters. A .txt file without the blank lines it should have must not fill the memory."""

_MARKED = "unmask.marked"
_BATCH_ROWS = 256
_BUFFER_BYTES = 1 << 20

codecs.register_error(_MARKED, lambda error: ("\ud800", error.end))  # type: ignore[attr-defined]


class Entry(NamedTuple):
    """What stands in the text column of one row, and where the row begins."""

    place: str
    text: object


def texts(source: Source, config: CorpusConfig, advance: Callable[[int], None]) -> Iterator[str]:
    """Yield every document's text as it stands in the file; "" for a null.

    `advance` is told the bytes read since it was last called. With `undecodable="drop"` the caller
    has to leave out what UNDECODABLE finds. UserError for a damaged file, a missing column, a
    malformed row, a value that is no string, and for undecodable text unless it is to be dropped.
    """
    position = 0
    try:
        with source.path.open("rb") as file:
            for entry in _entries(file, source, config):
                yield _checked(entry, source, config)
                advance(file.tell() - position)
                position = file.tell()
            advance(os.fstat(file.fileno()).st_size - position)
    except DAMAGE as error:
        if getattr(error, "errno", None) is not None:
            raise
        raise UserError(
            f"{source.name}: damaged, cut short or not what its suffix says ({error})",
            "fetch or write it again",
        ) from None


def _entries(file: IO[bytes], source: Source, config: CorpusConfig) -> Iterator[Entry]:
    suffix, packing = suffixes(source.path)
    stream, name, column = unpacked(file, packing), source.name, config.text_column
    match suffix:
        case ".txt":
            at_blank_lines = config.txt_documents == "blank-line"
            return _txt(_lines(stream, config.encoding), name, at_blank_lines=at_blank_lines)
        case ".jsonl":
            return _jsonl(_lines(stream, config.encoding), name, column)
        case ".csv":
            rows = csv.reader(_lines(stream, config.encoding), strict=True)
            return _table(rows, name, column)
        case ".tsv":
            lines = _lines(stream, config.encoding)
            rows = csv.reader(lines, delimiter="\t", quoting=csv.QUOTE_NONE)
            return _table(rows, name, column)
    return _packed_parquet(stream, name, column) if packing else _parquet(file, name, column)


def _checked(entry: Entry, source: Source, config: CorpusConfig) -> str:
    where = f"{source.name}, {entry.place}"
    text = "" if entry.text is None else entry.text
    if not isinstance(text, str):
        raise UserError(
            f"{where}: {config.text_column} holds {reprlib.repr(text)}, which is no string",
            "--text-column names the column that holds the text",
        )
    broken = UNDECODABLE.search(text)
    if broken and config.undecodable == "fail":
        near = UNDECODABLE.sub("\ufffd", text[max(0, broken.start() - 20) : broken.end() + 20])
        raise UserError(
            f"{where}: the document there is not valid {config.encoding}, near {near!r}",
            "--encoding names another encoding, --undecodable drop leaves such documents out",
        )
    return text


def _lines(stream: IO[bytes], encoding: str) -> Iterator[str]:
    """Yield the lines with their ends, as csv needs them, without a byte order mark."""
    lines = io.TextIOWrapper(stream, encoding, errors=_MARKED, newline="")
    try:
        for number, line in enumerate(lines):
            yield line if number else line.removeprefix("\ufeff")
    finally:
        if not stream.closed:
            lines.detach()  # or it would close a file that is not its own


def _txt(lines: Iterable[str], name: str, *, at_blank_lines: bool) -> Iterator[Entry]:
    document: list[str] = []
    start, characters = 1, 0
    for number, line in enumerate(lines, start=1):
        if not at_blank_lines or line.strip():
            document.append(line)
            characters += len(line)
        elif document:
            yield Entry(f"line {start}", "".join(document))
            document, characters = [], 0
        if not document:
            start = number + 1
        if characters > LARGEST_TXT_DOCUMENT:
            raise UserError(
                f"{name}, line {start}: a document of over {LARGEST_TXT_DOCUMENT:,} characters",
                "put a blank line between documents, or cut the file into several",
            )
    if document:
        yield Entry(f"line {start}", "".join(document))


def _jsonl(lines: Iterable[str], name: str, column: str) -> Iterator[Entry]:
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        place = f"line {number}"
        try:
            row = json.loads(line)
        except ValueError as error:
            reason = getattr(error, "msg", error)
            raise UserError(
                f"{name}, {place}: not valid JSON ({reason})", "each line is one JSON object"
            ) from None
        if not isinstance(row, dict):
            raise UserError(
                f"{name}, {place}: {reprlib.repr(row)} is no JSON object",
                f'each line is an object such as {{"{column}": "..."}}',
            )
        _require(column, row, f"{name}, {place}")
        yield Entry(place, row[column])


def _table(rows: "Reader", name: str, column: str) -> Iterator[Entry]:
    csv.field_size_limit(sys.maxsize)
    try:
        header = next(rows, None)
        if header is None:
            return
        _require(column, header, name)
        index, start = header.index(column), rows.line_num + 1
        for row in rows:
            place, start = f"line {start}", rows.line_num + 1
            if row and len(row) != len(header):
                raise UserError(
                    f"{name}, {place}: {len(row)} cells where the header has {len(header)}",
                    "quote .csv cells that hold commas; a .tsv cell holds no tab and no line end",
                )
            if row:
                yield Entry(place, row[index])
    except csv.Error as error:
        raise UserError(
            f"{name}, line {rows.line_num}: not valid CSV ({error})", "mend the quotes there"
        ) from None


def _packed_parquet(stream: IO[bytes], name: str, column: str) -> Iterator[Entry]:
    """Unpack to disk first: Parquet is read from its end, which a packed stream cannot be."""
    with tempfile.TemporaryFile() as whole:
        shutil.copyfileobj(stream, whole)
        yield from _parquet(whole, name, column)


def _parquet(file: IO[bytes], name: str, column: str) -> Iterator[Entry]:
    table = pq.ParquetFile(file, buffer_size=_BUFFER_BYTES)
    _require(column, table.schema_arrow.names, name)
    row = 0
    for batch in table.iter_batches(_BATCH_ROWS, columns=[column]):
        for value in _as_bytes(batch.column(0), name, column):
            row += 1
            text = None if value is None else value.decode("utf-8", _MARKED)
            yield Entry(f"row {row}", text)


def _as_bytes(values: pa.Array, name: str, column: str) -> list[bytes | None]:
    """Undo Arrow's promise of valid UTF-8, which it does not keep for every file."""
    try:
        found: list[bytes | None] = values.cast(pa.large_binary()).to_pylist()
    except pa.ArrowNotImplementedError:
        raise UserError(
            f"{name}: {column} holds {values.type}, not strings",
            "--text-column names the column that holds the text",
        ) from None
    return found


def _require(column: str, columns: Iterable[str], where: str) -> None:
    if column not in columns:
        there = textwrap.shorten(", ".join(columns), 200, placeholder=" ...") or "none"
        raise UserError(
            f"{where}: no column {column}; there are {there}",
            "--text-column names the column that holds the text",
        )
