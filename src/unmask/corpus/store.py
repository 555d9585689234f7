"""The corpus folder: Parquet parts of bounded size for each split, written and read."""

import contextlib
import dataclasses
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Self

import pyarrow as pa
import pyarrow.parquet as pq

from unmask.core import files, manifests
from unmask.core.errors import UserError
from unmask.core.manifests import Manifest
from unmask.corpus.split import Split

STAGE = "corpus"
PART_CHARACTERS = 1 << 24
PART_DOCUMENTS = 1 << 16
"""A part ends with the document that reaches one of these."""

_SCHEMA = pa.schema([("id", pa.string()), ("text", pa.string()), ("source", pa.string())])
_PARQUET = {
    "compression": "zstd",
    "compression_level": 1,
    "use_dictionary": ["source"],  # no id and no text occurs twice
    "write_statistics": False,
    "write_page_checksum": True,
}
_ROW_GROUP_BYTES = 1 << 22
_BATCH_ROWS = 256
_BATCH_CHARACTERS = 1 << 20
_BUFFER_BYTES = 1 << 20


@dataclasses.dataclass(frozen=True, slots=True)
class Document:
    """One cleaned text, each line of it one unit; `id` is a hash of the text."""

    id: str
    text: str
    source: str


class PartFile:
    """The rows of one Parquet file, written in groups; see `writing`."""

    def __init__(self, path: Path, open_files: contextlib.ExitStack) -> None:
        self._path, self._open_files = path, open_files
        self._writer: pq.ParquetWriter | None = None
        self._batches: list[pa.RecordBatch] = []
        self._bytes = 0

    def add(self, batch: pa.RecordBatch) -> None:
        """Take some rows, and write a row group when there are enough for one."""
        if batch.num_rows:
            self._batches.append(batch)
            self._bytes += batch.nbytes
        if self._bytes >= _ROW_GROUP_BYTES:
            self._write_row_group()

    def finish(self) -> None:
        """Write what is left and the end of the file."""
        self._write_row_group()
        if self._writer is not None:
            self._writer.close()

    def abandon(self) -> None:
        """Keep Arrow from writing the end of a file that is of no use any more."""
        if self._writer is not None:
            self._writer.is_open = False

    def _write_row_group(self) -> None:
        if not self._batches:
            return
        if self._writer is None:
            # A file opened here, not by Arrow: so a full disk is an OSError with its errno.
            file = self._open_files.enter_context(files.atomic(self._path))
            self._writer = pq.ParquetWriter(file, _SCHEMA, **_PARQUET)
        self._writer.write_table(pa.Table.from_batches(self._batches, _SCHEMA))
        self._batches, self._bytes = [], 0


@contextlib.contextmanager
def writing(path: Path) -> Iterator[PartFile]:
    """Write a part as its rows come; it is there if all went well, and if any rows came."""
    with contextlib.ExitStack() as open_files:
        part = PartFile(path, open_files)
        try:
            yield part
            part.finish()
        except BaseException:
            part.abandon()
            raise


class PartWriter:
    """Writes documents as `STEM-0000.parquet` and so on, each of bounded size."""

    def __init__(self, folder: Path, stem: str) -> None:
        self._folder, self._stem = folder, stem
        self._open = contextlib.ExitStack()
        self._part: PartFile | None = None
        self._rows: list[Document] = []
        self._row_characters = self._characters = self._documents = 0
        self.parts = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        if error is None:
            self.flush()
        self._open.__exit__(kind, error, at)

    def add(self, document: Document) -> bool:
        """Take a document; tell whether that has ended a part."""
        self._rows.append(document)
        self._row_characters += len(document.text)
        if len(self._rows) >= _BATCH_ROWS or self._row_characters >= _BATCH_CHARACTERS:
            self._hand_over()
        is_full = (
            self._characters + self._row_characters >= PART_CHARACTERS
            or self._documents + len(self._rows) >= PART_DOCUMENTS
        )
        if is_full:
            self.flush()
        return is_full

    def flush(self) -> None:
        """End the part that has been begun, if any."""
        self._hand_over()
        if self._part is not None:
            self._open.close()
            self._part = None
            self._characters = self._documents = 0
            self.parts += 1

    def _hand_over(self) -> None:
        if not self._rows:
            return
        if self._part is None:
            path = self._folder / f"{self._stem}-{self.parts:04d}.parquet"
            self._part = self._open.enter_context(writing(path))
        columns = zip(*((row.id, row.text, row.source) for row in self._rows), strict=True)
        arrays = [pa.array(column, pa.string()) for column in columns]
        self._part.add(pa.RecordBatch.from_arrays(arrays, schema=_SCHEMA))
        self._characters += self._row_characters
        self._documents += len(self._rows)
        self._rows, self._row_characters = [], 0


def documents(folder: Path, split: Split) -> Iterator[Document]:
    """Read a split in the order it was written, a few documents at a time.

    UserError at once if the folder is no corpus or a part has not the size its manifest says.
    """
    return _read(parts(folder, split))


def parts(folder: Path, split: Split) -> list[Path]:
    """List the parts of a split in order; UserError as for `documents`."""
    found = []
    for output in _manifest(folder).outputs:
        if output.path.startswith(f"{split}-"):
            path = folder / output.path
            size = path.stat().st_size if path.is_file() else 0
            if size != output.bytes:
                raise _damaged(path, f"{size:,} bytes, its manifest says {output.bytes:,}")
            found.append(path)
    return found


def read_part(path: Path) -> Iterator[Document]:
    """Read one part, a few documents at a time; UserError if it is damaged."""
    for batch in batches(path):
        yield from (Document(**row) for row in batch.to_pylist())


def batches(path: Path) -> Iterator[pa.RecordBatch]:
    """Read one part as Arrow batches, never more than a row group at once."""
    try:
        with path.open("rb") as file:
            table = pq.ParquetFile(file, buffer_size=_BUFFER_BYTES, page_checksum_verification=True)
            for group in range(table.num_row_groups):
                yield from table.iter_batches(_BATCH_ROWS, row_groups=[group])
    except (pa.ArrowException, OSError) as error:
        raise _damaged(path, str(error)) from None


def count(folder: Path, split: Split) -> int:
    """Tell the documents of a split, from the manifest."""
    return int(_manifest(folder).facts[split]["documents"])


def characters(folder: Path, split: Split) -> int:
    """Tell the characters of a split, from the manifest."""
    return int(_manifest(folder).facts[split]["characters"])


def _read(paths: list[Path]) -> Iterator[Document]:
    for path in paths:
        yield from read_part(path)


def _manifest(folder: Path) -> Manifest:
    manifest = manifests.read(folder)
    if manifest.stage != STAGE:
        raise UserError(
            f"{folder}: was written by unmask {manifest.stage} and is no corpus",
            "name a folder that unmask corpus has written",
        )
    return manifest


def _damaged(path: Path, reason: str) -> UserError:
    return UserError(f"{path}: damaged ({reason})", "run unmask corpus again with --force")
