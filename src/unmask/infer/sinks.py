"""What answers are written as: JSON lines, or the arrays of .npy and .npz.

Legend: N texts, K layers, T tokens or words of one text, D width.
"""

import io
import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import IO, Any, Protocol

import numpy as np

from unmask.infer.features import files
from unmask.infer.pipelines import Answer


def as_line(answer: Answer, *, ascii_only: bool = False) -> str:
    """Give an answer as a line of JSON; arrays become lists."""
    return json.dumps(answer, ensure_ascii=ascii_only, default=_listed) + "\n"


class Sink(Protocol):
    """A file that grows by one answer after the other."""

    head: int
    """Bytes at its beginning that `finish` may change."""

    def encode(self, answer: Answer, *, first: bool) -> bytes:
        """The bytes that an answer adds to the file."""

    def finish(self, file: IO[bytes], texts: int) -> None:
        """Write what can only be known when all answers are there."""


class JsonLines:
    """A line an answer."""

    head = 0

    def encode(self, answer: Answer, *, first: bool) -> bytes:
        """Give the line; half a surrogate pair, which UTF-8 cannot hold, is written as escape."""
        return as_line(answer).encode(errors="backslashreplace")

    def finish(self, file: IO[bytes], texts: int) -> None:
        """Leave the file as it is."""


class ArrayRows:
    """A .npy of one vector a text, (N, D) or (N, K, D), as `numpy.save` writes it."""

    head = 128

    def encode(self, answer: Answer, *, first: bool) -> bytes:
        """Give a row, the first one behind a header that says how wide rows are."""
        vector = np.ascontiguousarray(answer["vector"], np.float32)
        return (_header((0, *vector.shape)) if first else b"") + vector.tobytes()

    def finish(self, file: IO[bytes], texts: int) -> None:
        """Write into the header how many rows there are, for which numpy leaves room in it."""
        file.seek(0)
        if not file.read(1):
            file.write(_header((0, 0)))
            return
        file.seek(0)
        np.lib.format.read_magic(file)
        (_, *row), _, _ = np.lib.format.read_array_header_1_0(file)
        header = _header((texts, *row))
        assert len(header) == file.tell(), "numpy leaves room for any number of rows"
        file.seek(0)
        file.write(header)
        file.seek(0, os.SEEK_END)


def sink(path: Path, *, features: bool) -> Sink:
    """The sink that the name of a file asks for; for features, which have been checked."""
    return ArrayRows() if features and path.suffix == ".npy" else JsonLines()


def write_npz(path: Path, answers: Sequence[Answer], *, ragged: bool) -> None:
    """Write features of all texts at once, as an archive needs them."""
    texts = [answer["text"] for answer in answers]
    if ragged:
        pieces = [answer["pieces"] for answer in answers]
        files.write_pieces(path, texts, pieces, [_by_layer(one["vectors"]) for one in answers])
        return
    rows = [np.atleast_2d(answer["vector"]) for answer in answers]
    files.write_texts(path, texts, np.stack(rows) if rows else np.zeros((0, 1, 0), np.float32))


def _by_layer(vectors: Any) -> Any:  # noqa: ANN401 (an array of either rank)
    """From (T, D) or (T, K, D) to (K, T, D)."""
    return vectors[None] if vectors.ndim == 2 else vectors.swapaxes(0, 1)


def _header(shape: tuple[int, ...]) -> bytes:
    whole = io.BytesIO()
    described = {"descr": "<f4", "fortran_order": False, "shape": shape}
    np.lib.format.write_array_header_1_0(whole, described)
    return whole.getvalue()


def _listed(value: object) -> object:
    if isinstance(value, np.ndarray):
        return value.tolist()
    raise TypeError(f"{type(value).__name__} is no JSON")
