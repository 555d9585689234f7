"""Packed files as streams of their bytes, and the errors by which a damaged one shows."""

import gzip
import io
import zlib
from typing import IO, Any

import pyarrow as pa
import zstandard

DAMAGE = (OSError, EOFError, zlib.error, zstandard.ZstdError, pa.ArrowException)
"""What reading a damaged or wrongly named file raises; an OSError with an errno is none of it."""

_CHUNK_BYTES = 1 << 16
_BUFFER_BYTES = 1 << 20
_LARGEST_WINDOW = 1 << 31


def unpacked(file: IO[bytes], packing: str) -> IO[bytes]:
    """Read through `.gz` or `.zst`; any other packing is none."""
    match packing:
        case ".gz":
            return gzip.GzipFile(fileobj=file)  # type: ignore[return-value]
        case ".zst":
            return io.BufferedReader(ZstdReader(file), _BUFFER_BYTES)
        case _:
            return file


class ZstdReader(io.RawIOBase):
    """The bytes in a .zst file; EOFError if it ends inside a frame.

    `zstandard`'s own stream_reader takes a file that was cut short for a whole one.
    """

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self._decompressor = zstandard.ZstdDecompressor(max_window_size=_LARGEST_WINDOW)
        self._frame: Any = None
        self._packed: bytes = b""
        self._ready = memoryview(b"")

    def readable(self) -> bool:
        """Say that this stream can be read."""
        return True

    def readinto(self, buffer: Any) -> int:  # noqa: ANN401 (whatever can be written into)
        """Fill the buffer as far as the next piece goes; 0 at the end of the file."""
        while not self._ready and self._has_more():
            self._unpack()
        view = memoryview(buffer).cast("B")
        size = min(len(view), len(self._ready))
        view[:size], self._ready = self._ready[:size], self._ready[size:]
        return size

    def _has_more(self) -> bool:
        self._packed = self._packed or self._file.read(_CHUNK_BYTES)
        if not self._packed and self._frame:
            raise EOFError("the file ends inside a zstd frame")
        return bool(self._packed)

    def _unpack(self) -> None:
        frame = self._frame or self._decompressor.decompressobj()
        self._ready = memoryview(frame.decompress(self._packed))
        self._packed = frame.unused_data
        self._frame = None if frame.eof else frame
