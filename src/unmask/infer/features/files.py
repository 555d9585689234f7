"""Files of features: .npy, .npz and .jsonl.

N texts, K layers, T tokens or words of one text, S of all texts end to end, D width. Where there
is one layer, K is left out of every array.
"""

import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from unmask.core import files
from unmask.core.errors import UserError

FORMATS = (".npy", ".npz", ".jsonl")

Floats = npt.NDArray[np.float32]


def check(path: Path, *, ragged: bool) -> None:
    """Raise UserError for a file that cannot hold what is to be written, before it is made."""
    if path.suffix not in FORMATS:
        raise UserError(
            f"{path}: features are not written as {path.suffix!r}", f"one of {', '.join(FORMATS)}"
        )
    if ragged and path.suffix == ".npy":
        raise UserError(
            f"{path}: one array cannot hold texts of different lengths", "write .npz or .jsonl"
        )


def write_texts(path: Path, texts: Sequence[str], vectors_NKD: Floats) -> None:
    """Write one vector for each text.

    .npy: the array; .npz: `vectors` and `texts`; .jsonl: `text` and `vector`.
    """
    check(path, ragged=False)
    vectors = _one_layer(vectors_NKD, 1)
    match path.suffix:
        case ".npy":
            _write_array(path, vectors)
        case ".npz":
            _write_arrays(path, vectors=vectors, texts=_strings(texts))
        case _:
            rows = zip(texts, vectors, strict=True)
            _write_lines(path, ({"text": text, "vector": v.tolist()} for text, v in rows))


def write_pieces(
    path: Path, texts: Sequence[str], pieces: Sequence[Sequence[str]], vectors: Sequence[Floats]
) -> None:
    """Write one vector for each token or word of each text; `vectors` are arrays of (K, T, D).

    .npz: `vectors` of all texts end to end, (S, K, D), their `pieces`, how many each text has
    (`lengths`) and `texts`; .jsonl: `text`, `pieces` and `vectors`, (T, K, D).
    """
    check(path, ragged=True)
    by_piece = [_one_layer(vectors_KTD.swapaxes(0, 1), 1) for vectors_KTD in vectors]
    if path.suffix == ".npz":
        lengths = np.array([len(item) for item in pieces], np.int64)
        flat = [piece for item in pieces for piece in item]
        joined = np.concatenate(by_piece) if by_piece else np.zeros(0, np.float32)
        _write_arrays(
            path, vectors=joined, pieces=_strings(flat), lengths=lengths, texts=_strings(texts)
        )
        return
    rows = zip(texts, pieces, by_piece, strict=True)
    _write_lines(
        path,
        ({"text": text, "pieces": list(item), "vectors": v.tolist()} for text, item, v in rows),
    )


def _one_layer(array: Floats, axis: int) -> Floats:
    return array.squeeze(axis) if array.shape[axis] == 1 else array


def _strings(strings: Sequence[str]) -> npt.NDArray[np.str_]:
    return np.array(strings, dtype=np.str_)


def _write_array(path: Path, array: Floats) -> None:
    with files.atomic(path) as file:
        np.save(file, array)


def _write_arrays(path: Path, **arrays: npt.NDArray[Any]) -> None:
    with files.atomic(path) as file:
        np.savez(file, **arrays)  # type: ignore[arg-type]  # its stub takes them for a flag


def _write_lines(path: Path, rows: Iterable[dict[str, Any]]) -> None:
    with files.atomic(path) as file:
        for row in rows:
            file.write(json.dumps(row, ensure_ascii=False).encode() + b"\n")
