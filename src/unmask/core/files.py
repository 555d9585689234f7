"""Files that are whole or not there, and their hashes."""

import errno
import hashlib
import json
import os
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

from unmask.core.locations import is_remote

NO_SPACE = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}

UNFINISHED = ".part"
"""The end of the name of a file that is being written."""

_CHUNK_BYTES = 1 << 20


@contextmanager
def atomic(path: Path) -> Iterator[IO[bytes]]:
    """Open a file beside `path` for writing; rename it into place only when all went well.

    Into an object store the file goes as a whole, at the end.
    """
    if is_remote(path):
        with tempfile.NamedTemporaryFile() as whole:
            yield whole
            whole.flush()
            path.fs.put_file(whole.name, path.path)
        return
    beside = path.with_name(f".{path.name}.{os.getpid()}{UNFINISHED}")
    try:
        with beside.open("wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        beside.replace(path)
    finally:
        beside.unlink(missing_ok=True)


def write_text(path: Path, text: str) -> None:
    """Write a UTF-8 file atomically."""
    with atomic(path) as file:
        file.write(text.encode())


def write_json(path: Path, value: Any) -> None:  # noqa: ANN401
    """Write a JSON file atomically, readable by people."""
    write_text(path, json.dumps(value, indent=2, ensure_ascii=False) + "\n")


def write_json_lines(path: Path, rows: Iterable[Any]) -> None:
    """Write one line of JSON a row, keys in their order."""
    with atomic(path) as file:
        for row in rows:
            file.write(json.dumps(row, ensure_ascii=False).encode() + b"\n")


def read_json(path: Path) -> Any:  # noqa: ANN401
    """Read a JSON file."""
    return json.loads(path.read_text(encoding="utf-8"))


def sha256(path: Path) -> str:
    """Hash a file's bytes."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK_BYTES):
            digest.update(chunk)
    return digest.hexdigest()
