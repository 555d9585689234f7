"""Where a file of lines may be cut, and reading no further than a cut."""

import io
import re
import sys
from typing import IO, Any

from unmask.core.errors import UserError

LONGEST = 1 << 28
"""Characters of a document or a line. A file that is not what it seems must not fill the memory."""

_LINE_END = rb"(?>\r\n|\r|\n)"
_BLANK = rb"[ \t\v\f]*+"
LINE = re.compile(_LINE_END)
"""After it, a line begins. All three ends count, as to a text file in Python."""
BLANK_LINE = re.compile(_LINE_END + _BLANK + _LINE_END)
"""After it, a document of a .txt file can begin."""

_UNFINISHED = re.compile(_LINE_END + _BLANK + rb"\Z")
_CHUNK_BYTES = 1 << 16
_LONGEST_CHARACTER = 4


def next_cut(file: IO[bytes], at: int, size: int, after: re.Pattern[bytes], name: str) -> int:
    """Find the first place behind a match of `after` that begins at byte `at` or later.

    0 stays 0, and where nothing is found it is the end of the file. A later `at` never gives an
    earlier place. UserError if the way there is longer than the longest document.
    """
    if at == 0:
        return 0
    file.seek(at)
    begin, buffer = at, b""
    while chunk := file.read(min(_CHUNK_BYTES, size - begin - len(buffer))):
        if not buffer and b"\n" not in chunk and b"\r" not in chunk:
            begin += len(chunk)  # the inside of a long line
            _require_end(begin - at, f"{name}, byte {at:,}")
            continue
        buffer += chunk
        found = after.search(buffer)
        if found and found.end() < len(buffer):  # or a line feed might belong to it
            return begin + found.end()
        if not found:
            unfinished = _UNFINISHED.search(buffer)
            kept = buffer[unfinished.start() :] if unfinished else b""
            begin, buffer = begin + len(buffer) - len(kept), kept
        _require_end(begin + len(buffer) - at, f"{name}, byte {at:,}")
    return size


def _require_end(bytes_: int, where: str) -> None:
    if bytes_ > LONGEST * _LONGEST_CHARACTER:
        raise too_long(where)


def too_long(where: str) -> UserError:
    """Complain of a document or line that is longer than `LONGEST`."""
    return UserError(
        f"{where}: a document of over {LONGEST:,} characters",
        "put a blank line between the documents of a .txt file, or cut the file into several",
    )


def lines_before(file: IO[bytes], stop: int) -> int:
    """Count the line ends in the first `stop` bytes."""
    file.seek(0)
    count, last = 0, b""
    while chunk := file.read(min(_CHUNK_BYTES, stop - file.tell())):
        pairs = (last + chunk).count(b"\r\n")
        count += chunk.count(b"\n") + chunk.count(b"\r") - pairs
        last = chunk[-1:]
    return count


class Window(io.RawIOBase):
    """The bytes of a file from where it stands, `size` at most; closing it leaves the file open."""

    def __init__(self, file: IO[bytes], size: int = sys.maxsize) -> None:
        self._file, self._left = file, size

    def readable(self) -> bool:
        """Say that this stream can be read."""
        return True

    def readinto(self, buffer: Any) -> int:  # noqa: ANN401 (whatever can be written into)
        """Fill the buffer as far as the window goes; 0 at its end."""
        chunk = self._file.read(min(len(buffer), self._left))
        memoryview(buffer).cast("B")[: len(chunk)] = chunk
        self._left -= len(chunk)
        return len(chunk)
