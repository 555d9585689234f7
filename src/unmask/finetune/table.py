"""Labelled tables: .tsv, .csv, .jsonl and .parquet, plain or compressed."""

import csv
import dataclasses
import gzip
import io
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import IO, Any

import pyarrow.parquet as pq
import zstandard

from unmask.core.errors import UserError
from unmask.finetune.config import ColumnsConfig

SUFFIXES = (".tsv", ".csv", ".jsonl", ".parquet")
COMPRESSED = ("", ".gz", ".zst")


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
    names = [f"{split}{suffix}{packed}" for suffix in SUFFIXES for packed in COMPRESSED]
    found = [folder / name for name in names if (folder / name).is_file()]
    if len(found) != 1:
        what = f"has {' and '.join(path.name for path in found)}" if found else f"has no {split}.*"
        raise UserError(
            f"{folder}: {what}", f"put one {split} table there ({', '.join(SUFFIXES)}, also .gz)"
        )
    return found[0]


def read(path: Path, columns: ColumnsConfig, *, labelled: bool = True) -> list[Row]:
    """Read every row; UserError for a missing column, an empty cell or undecodable bytes."""
    wanted = [columns.text, *([columns.pair] if columns.pair else [])]
    wanted += [columns.label] if labelled else []
    rows = []
    for place, record in _records(path):
        missing = [name for name in wanted if name not in record]
        if missing:
            raise UserError(
                f"{place}: no column {missing[0]!r}; there is {', '.join(map(repr, record))}",
                "name the columns with --columns.text, --columns.pair and --columns.label",
            )
        empty = [name for name in wanted if record[name] is None or str(record[name]) == ""]
        if empty:
            raise UserError(f"{place}: column {empty[0]!r} is empty", "fill it or drop the row")
        rows.append(
            Row(
                str(record[columns.text]),
                str(record[columns.pair]) if columns.pair else None,
                str(record[columns.label]) if labelled else "",
                place,
            )
        )
    if not rows:
        raise UserError(f"{path}: has no rows", "give a table with a header and examples")
    return rows


def _records(path: Path) -> Iterator[tuple[str, Mapping[str, Any]]]:
    packed = path.suffix in (".gz", ".zst")
    suffix = path.with_suffix("").suffix if packed else path.suffix
    try:
        with path.open("rb") as file, _unpacked(file, path.suffix) as stream:
            match suffix:
                case ".parquet":
                    records: Iterator[Any] = iter(pq.read_table(stream).to_pylist())
                case ".jsonl":
                    records = _json_lines(io.TextIOWrapper(stream, encoding="utf-8-sig"), path)
                case ".csv":
                    text = io.TextIOWrapper(stream, encoding="utf-8-sig", newline="")
                    records = csv.DictReader(text)
                case ".tsv":  # the official GLUE files hold lone quotes, so none is special
                    text = io.TextIOWrapper(stream, encoding="utf-8-sig", newline="")
                    records = csv.DictReader(text, delimiter="\t", quoting=csv.QUOTE_NONE)
                case _:
                    raise UserError(f"{path}: unknown kind of table", f"one of {SUFFIXES}")
            for number, record in enumerate(records, start=1):
                yield f"{path}: row {number}", record
    except FileNotFoundError:
        raise UserError(f"{path}: no such file", "check the path") from None
    except UnicodeDecodeError as error:
        raise UserError(
            f"{path}: not UTF-8 ({error.reason} at byte {error.start})", "convert it to UTF-8"
        ) from None


def _unpacked(file: IO[bytes], suffix: str) -> IO[bytes]:
    match suffix:
        case ".gz":
            return io.BytesIO(gzip.GzipFile(fileobj=file).read())
        case ".zst":
            return io.BytesIO(zstandard.ZstdDecompressor().stream_reader(file).read())
    return file


def _json_lines(lines: IO[str], path: Path) -> Iterator[Any]:
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
