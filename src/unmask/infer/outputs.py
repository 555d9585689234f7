"""Outputs that any runner has written as NNNNNN.npz, as logits to be scored.

Legend: N samples, L length, T real tokens of all of them, C outputs.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from unmask.core.errors import UserError
from unmask.core.progress import bar

Floats = npt.NDArray[np.float32]

AGAIN = "let the runner write it again"


def read_outputs(folder: Path) -> list[Floats]:
    """Read every sample's output, in the order of the names: (C,), (L, C), or (L, 2).

    The last is for starts and ends, which are stored as output_0 and output_1. The dimension of
    the batch, which is 1, is left out. UserError for a folder without outputs, and for a file that
    is damaged or holds what is no number.
    """
    if not folder.is_dir():
        raise UserError(f"{folder}: no such folder", "give the one that holds NNNNNN.npz files")
    paths = npz_files(folder)
    if not paths:
        raise UserError(f"{folder}: has no .npz files", "give the folder of a runner's outputs")
    found = []
    with bar("read outputs", len(paths)) as progress:
        for path in paths:
            found.append(_read(path))
            progress.advance()
    return found


def as_logits(
    outputs: Sequence[Floats], lengths_N: npt.NDArray[np.int64], *, by_token: bool
) -> Floats:
    """Put outputs in the form that judges score: (N, C), or by token (T, C), padding left out.

    `lengths_N` are the real tokens of the samples, in the same order. UserError for another number
    of samples, a sample with fewer rows than tokens, or one with another C than the first.
    """
    if len(outputs) != len(lengths_N):
        raise UserError(
            f"{len(outputs):,} outputs for {len(lengths_N):,} samples",
            "run the samples that bench --dump npz wrote of the same data, all of them",
        )
    wanted = 2 if by_token else 1
    for number, (output, length) in enumerate(zip(outputs, lengths_N, strict=True)):
        if output.ndim != wanted or (by_token and len(output) < length):
            raise UserError(
                f"output {number:06d}: of shape {output.shape}, for {length} tokens",
                "give outputs of a row for each token"
                if by_token
                else "give outputs of a row for each sample",
            )
        if output.shape[-1] != outputs[0].shape[-1]:
            raise UserError(
                f"output {number:06d}: of shape {output.shape}, and the first of "
                f"{outputs[0].shape}",
                "give the outputs of one model",
            )
    if not by_token:
        return np.stack(outputs).astype(np.float32)
    real = [output[:length] for output, length in zip(outputs, lengths_N, strict=True)]
    return np.concatenate(real).astype(np.float32)


def npz_files(folder: Path) -> list[Path]:
    """The .npz files of a folder in the order of their numbers, else of their names."""
    paths = sorted(folder.glob("*.npz"))
    if all(path.stem.isdecimal() for path in paths):
        paths.sort(key=lambda path: int(path.stem))  # 10.npz comes after 9.npz
    return paths


def stored_arrays(path: Path, again: str = AGAIN) -> dict[str, npt.NDArray[Any]]:
    """Read the arrays of an archive; UserError, with `again` as hint, for what is none."""
    try:
        with np.load(path, allow_pickle=False) as stored:
            return dict(stored)
    except FileNotFoundError:
        raise
    except Exception as error:  # zipfile lets through what zlib, struct, ... say of damage
        raise UserError(f"{path}: damaged ({error})", again) from None


def _read(path: Path) -> Floats:
    stored = stored_arrays(path)
    arrays = [stored[name] for name in ("output_0", "output_1") if name in stored]
    if "output_0" not in stored:
        raise UserError(
            f"{path}: has no output_0; there is {', '.join(stored) or 'nothing'}", AGAIN
        )
    arrays = [array[0] if array.ndim > 1 and len(array) == 1 else array for array in arrays]
    if any(array.dtype.kind not in "iuf" or array.shape != arrays[0].shape for array in arrays):
        told = ", ".join(f"{array.dtype} {array.shape}" for array in arrays)
        raise UserError(f"{path}: holds {told}, no numbers of one shape", AGAIN)
    found: Floats = (arrays[0] if len(arrays) == 1 else np.stack(arrays, -1)).astype(np.float32)
    if not np.isfinite(found).all():
        raise UserError(f"{path}: holds what is no number (NaN or infinite)", AGAIN)
    return found
