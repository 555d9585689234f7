"""Files in object stores and on the Hugging Face hub, through fsspec: find, open, identify.

Every file system raises errors of its own (botocore's, aiohttp's, the hub's), which have no common
ancestor. So whatever is raised while one of them is asked becomes one UserError.
"""

import glob
import io
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import IO, Any

from unmask.core.errors import UserError
from unmask.core.locations import location

_MARKS = ("ETag", "etag", "md5Hash", "content_md5", "blob_id", "oid")
"""What servers call the value that changes with a file's contents: S3, Azure, GCS, the hub."""
_TIMES = ("LastModified", "last_modified", "updated", "mtime", "created")
_BUFFER_BYTES = 1 << 20


def find(place: Any) -> tuple[bool, list[tuple[Path, int]]]:  # noqa: ANN401 (a UPath)
    """Find the file of this URL, or the files below a folder or by a glob, and their sizes.

    The first value tells whether it is one file. Hidden files are no part of a folder or a glob.
    """
    store, path = place.fs, place.path
    with _explained(str(place)):
        entry = _info(place)
        if entry is not None and entry["type"] == "file":
            return True, [(place, entry["size"] or 0)]
        if glob.has_magic(path):
            entries = store.glob(path, detail=True)
        elif entry is not None:
            entries = store.find(path, detail=True)
        else:
            raise UserError(
                f"{place}: no such file or folder",
                "check the bucket and the path, and that the credentials may see them",
            )
    shown = {name: entry for name, entry in entries.items() if not _is_hidden(name, path)}
    return False, [
        (location(store.unstrip_protocol(name)), entry["size"] or 0)
        for name, entry in shown.items()
        if entry["type"] == "file"
    ]


def opened(path: Any) -> IO[bytes]:  # noqa: ANN401 (a UPath)
    """Open a remote file for reading; it is fetched block by block as it is read."""
    return io.BufferedReader(_RemoteFile(path), _BUFFER_BYTES)


def identity(path: Any) -> str:  # noqa: ANN401 (a UPath)
    """Tell which contents a file has, by what its server says of it; nothing is fetched.

    The sha256 where the hub knows it; else the size with the ETag or its like, or with the time of
    the last change where there is none. Equal contents at two places may thus differ.
    """
    with _explained(str(path)):
        entry = path.fs.info(path.path)
    large_file: Mapping[str, Any] = entry.get("lfs") or {}
    if large_file.get("sha256"):
        return str(large_file["sha256"])
    marks = [f"{key.lower()} {entry[key]}" for key in (*_MARKS, *_TIMES) if entry.get(key)]
    return ", ".join([f"{entry['size']} bytes", *marks[:1]])


def _info(place: Any) -> Mapping[str, Any] | None:  # noqa: ANN401 (a UPath)
    try:
        entry: Mapping[str, Any] = place.fs.info(place.path)
    except FileNotFoundError:
        return None
    return entry


def _is_hidden(name: str, asked: str) -> bool:
    """Tell what a shell's `*` leaves out: a name with a dot in front that was not asked for."""
    known = set(PurePosixPath(asked).parts)
    return any(
        part.startswith(".") and part not in known and "/." not in asked
        for part in PurePosixPath(name).parts
    )


@contextmanager
def _explained(name: str) -> Iterator[None]:
    try:
        yield
    except UserError:
        raise
    except Exception as error:
        reason = str(error) or "no reason given"
        raise UserError(
            f"{name}: cannot be reached ({type(error).__name__}: {reason})",
            "check the name, the credentials and the network; then run the same command again",
        ) from None


class _RemoteFile(io.RawIOBase):
    def __init__(self, path: Any) -> None:  # noqa: ANN401 (a UPath)
        self._name = str(path)
        with _explained(self._name):
            self._file = path.open("rb")

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:  # noqa: ANN401 (whatever can be written into)
        with _explained(self._name):
            return int(self._file.readinto(buffer))

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        with _explained(self._name):
            return int(self._file.seek(offset, whence))

    def tell(self) -> int:
        return int(self._file.tell())

    def close(self) -> None:
        if not self.closed:
            self._file.close()
        super().close()
