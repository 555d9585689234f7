"""Packed files as streams of their bytes, and the errors by which a damaged one shows."""

import bz2
import gzip
import io
import lzma
import zlib
from collections.abc import Callable
from typing import IO, Any, Protocol

import pyarrow as pa
import zstandard

DAMAGE = (OSError, EOFError, zlib.error, lzma.LZMAError, zstandard.ZstdError, pa.ArrowException)
"""What reading a damaged or wrongly named file raises; an OSError with an errno is none of it."""

_CHUNK_BYTES = 1 << 16
_BUFFER_BYTES = 1 << 20
_LARGEST_WINDOW = 1 << 31


def unpacked(file: IO[bytes], packing: str) -> IO[bytes]:
    """Read through `.gz`, `.bz2`, `.xz` or `.zst`; any other packing is none."""
    match packing:
        case ".gz":
            return gzip.GzipFile(fileobj=file)  # type: ignore[return-value]
        case ".bz2":
            return io.BufferedReader(FrameReader(file, bz2.BZ2Decompressor), _BUFFER_BYTES)
        case ".xz":
            xz = FrameReader(file, lzma.LZMADecompressor, padding=b"\0")
            return io.BufferedReader(xz, _BUFFER_BYTES)
        case ".zst":
            return io.BufferedReader(FrameReader(file, ZstdFrame), _BUFFER_BYTES)
        case _:
            return file


class Frame(Protocol):
    """What unpacks one frame of a file, as `bz2.BZ2Decompressor` does."""

    @property
    def eof(self) -> bool:
        """Tell whether the frame is at its end."""

    @property
    def needs_input(self) -> bool:
        """Tell whether there is nothing more to be had of what it was given."""

    @property
    def unused_data(self) -> bytes:
        """Give what it was given beyond the end of its frame."""

    def decompress(self, data: bytes, /, max_length: int) -> bytes:
        """Unpack what comes next, at most about `max_length` bytes."""


class ZstdFrame:
    """`zstandard`'s decompressor of one frame; it gives all that it can at once."""

    needs_input = True

    def __init__(self) -> None:
        settings = zstandard.ZstdDecompressor(max_window_size=_LARGEST_WINDOW)
        self._frame = settings.decompressobj()

    @property
    def eof(self) -> bool:
        """Tell whether the frame is at its end."""
        return bool(self._frame.eof)

    @property
    def unused_data(self) -> bytes:
        """Give what it was given beyond the end of its frame."""
        return bytes(self._frame.unused_data)

    def decompress(self, data: bytes, max_length: int) -> bytes:
        """Unpack all that comes next."""
        return bytes(self._frame.decompress(data))


class FrameReader(io.RawIOBase):
    """The bytes in a file of frames; EOFError if it ends inside one.

    The readers that come with bz2, lzma and zstandard take a file that was cut short between two
    frames, or whose second frame is damaged, for a whole one.
    """

    def __init__(
        self, file: IO[bytes], frames: Callable[[], Frame], *, padding: bytes = b""
    ) -> None:
        self._file, self._frames, self._padding = file, frames, padding
        self._frame: Frame | None = None
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
        if self._frame and not self._frame.needs_input:
            return True
        if not self._frame:
            self._packed = self._packed.lstrip(self._padding) if self._padding else self._packed
        self._packed = self._packed or self._file.read(_CHUNK_BYTES)
        if not self._packed and self._frame:
            raise EOFError("the file ends inside a packed frame")
        return bool(self._packed)

    def _unpack(self) -> None:
        frame = self._frame or self._frames()
        self._ready = memoryview(frame.decompress(self._packed, max_length=_BUFFER_BYTES))
        self._packed = frame.unused_data if frame.eof else b""
        self._frame = None if frame.eof else frame
