"""The corpus folder: Parquet parts of bounded size for each split, written and read."""

import dataclasses
from collections.abc import Iterator, Sequence
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from unmask.core import manifests
from unmask.core.errors import UserError
from unmask.core.manifests import Manifest
from unmask.corpus.split import Split

STAGE = "corpus"
PART_CHARACTERS = 1 << 25
"""A part ends with the document that reaches this many characters; a split's part is held in
memory until it is written."""

_SCHEMA = pa.schema([("id", pa.string()), ("text", pa.string()), ("source", pa.string())])
_PARQUET = {
    "compression": "zstd",
    "use_dictionary": ["source"],  # no id and no text occurs twice
    "write_statistics": False,
    "write_page_checksum": True,
}
_BATCH_ROWS = 256
_BUFFER_BYTES = 1 << 20


@dataclasses.dataclass(frozen=True, slots=True)
class Document:
    """One cleaned text, each line of it one unit; `id` is a hash of the text."""

    id: str
    text: str
    source: str


class PartWriter:
    """Writes the documents of one split as `train-00000.parquet` and so on."""

    def __init__(self, folder: Path, split: Split) -> None:
        self._folder, self._split = folder, split
        self._documents: list[Document] = []
        self._characters = 0
        self._parts = 0

    def add(self, document: Document) -> None:
        """Take a document, and write a part when there is enough for one."""
        self._documents.append(document)
        self._characters += len(document.text)
        if self._characters >= PART_CHARACTERS:
            self.flush()

    def flush(self) -> None:
        """Write what has been taken since the last part, if anything."""
        if not self._documents:
            return
        rows = [dataclasses.asdict(document) for document in self._documents]
        table = pa.Table.from_pylist(rows, schema=_SCHEMA)
        # A file opened here, not by Arrow: so a full disk is an OSError with its errno.
        with (self._folder / f"{self._split}-{self._parts:05d}.parquet").open("wb") as file:
            pq.write_table(table, file, **_PARQUET)
        self._parts += 1
        self._documents, self._characters = [], 0


def documents(folder: Path, split: Split) -> Iterator[Document]:
    """Read a split in the order it was written, a few documents at a time.

    UserError at once if the folder is no corpus or a part has not the size its manifest says.
    """
    return _read(_parts(folder, split))


def count(folder: Path, split: Split) -> int:
    """Tell the documents of a split, from the manifest."""
    return int(_manifest(folder).facts[split]["documents"])


def characters(folder: Path, split: Split) -> int:
    """Tell the characters of a split, from the manifest."""
    return int(_manifest(folder).facts[split]["characters"])


def _read(parts: Sequence[Path]) -> Iterator[Document]:
    for path in parts:
        try:
            with path.open("rb") as file:
                table = pq.ParquetFile(
                    file, buffer_size=_BUFFER_BYTES, page_checksum_verification=True
                )
                for batch in table.iter_batches(_BATCH_ROWS):
                    yield from (Document(**row) for row in batch.to_pylist())
        except (pa.ArrowException, OSError) as error:
            raise _damaged(path, str(error)) from None


def _parts(folder: Path, split: Split) -> list[Path]:
    parts = []
    for output in _manifest(folder).outputs:
        if output.path.startswith(f"{split}-"):
            path = folder / output.path
            size = path.stat().st_size if path.is_file() else 0
            if size != output.bytes:
                raise _damaged(path, f"{size:,} bytes, its manifest says {output.bytes:,}")
            parts.append(path)
    return parts


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
