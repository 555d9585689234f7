"""Tables stored by columns: Parquet, and Arrow's IPC files and streams."""

import shutil
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import IO

import pyarrow as pa
import pyarrow.parquet as pq

from unmask.core.errors import UserError
from unmask.corpus.inputs.formats.entries import COLUMN_HINT, MARKED, Entry, require
from unmask.corpus.inputs.slices import Piece

_BATCH_ROWS = 256
_BUFFER_BYTES = 1 << 20
_IPC_FILE = b"ARROW1"


@contextmanager
def seekable(stream: IO[bytes], packing: str) -> Iterator[IO[bytes]]:
    """Unpack to disk first: a packed stream cannot be read from its end, where the index stands."""
    if not packing:
        yield stream
        return
    with tempfile.TemporaryFile() as whole:
        shutil.copyfileobj(stream, whole)
        whole.seek(0)
        yield whole


def parquet(file: IO[bytes], piece: Piece, column: str) -> Iterator[Entry]:
    """Yield the rows of the piece's share of the row groups."""
    table = pq.ParquetFile(file, buffer_size=_BUFFER_BYTES)
    require(column, table.schema_arrow.names, piece.source.name)
    begin, end = _groups(piece, table.num_row_groups)
    first = sum(table.metadata.row_group(group).num_rows for group in range(begin)) + 1
    if begin < end:
        batches = table.iter_batches(_BATCH_ROWS, list(range(begin, end)), columns=[column])
        values = (batch.column(0) for batch in batches)
        yield from _entries(values, piece.source.name, column, first)


def arrow(file: IO[bytes], name: str, column: str) -> Iterator[Entry]:
    """Yield the rows of an IPC file or an IPC stream."""
    is_file = file.read(len(_IPC_FILE)) == _IPC_FILE
    file.seek(0)
    reader = pa.ipc.open_file(file) if is_file else pa.ipc.open_stream(file)
    require(column, reader.schema.names, name)
    index = reader.schema.names.index(column)
    batches = (
        (reader.get_batch(number) for number in range(reader.num_record_batches))
        if is_file
        else reader
    )
    yield from _entries((batch.column(index) for batch in batches), name, column, 1)


def _groups(piece: Piece, groups: int) -> tuple[int, int]:
    """Share the row groups out by their number, as if they were equally large.

    Their offsets in the file are not to be relied on: writers differ in what they note there.
    """
    if piece.whole:
        return 0, groups
    size = piece.source.bytes
    return -(-groups * piece.start // size), -(-groups * piece.stop // size)


def _entries(columns: Iterable[pa.Array], name: str, column: str, first: int) -> Iterator[Entry]:
    row = first
    for values in columns:
        for start in range(0, len(values), _BATCH_ROWS):
            for value in _as_bytes(values.slice(start, _BATCH_ROWS), name, column):
                yield Entry("row", row, None if value is None else value.decode("utf-8", MARKED))
                row += 1


def _as_bytes(values: pa.Array, name: str, column: str) -> list[bytes | None]:
    """Undo Arrow's promise of valid UTF-8, which it does not keep for every file."""
    try:
        found: list[bytes | None] = values.cast(pa.large_binary()).to_pylist()
    except pa.ArrowNotImplementedError:
        raise UserError(f"{name}: {column} holds {values.type}, not strings", COLUMN_HINT) from None
    return found
