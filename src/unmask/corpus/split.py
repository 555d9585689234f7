"""Which split a document belongs to: a pure function of its text.

N documents.
"""

import hashlib
from typing import Any, Literal, TypeAlias

import numpy as np
import numpy.typing as npt

Split: TypeAlias = Literal["train", "valid"]

SPLITS: tuple[Split, ...] = ("train", "valid")


def fingerprint(text: str) -> bytes:
    """Hash a cleaned text: sha256 over its UTF-8 bytes."""
    return hashlib.sha256(text.encode()).digest()


def are_valid(draw_N: npt.NDArray[Any], valid_fraction: float) -> npt.NDArray[np.bool_]:
    """Tell which documents go to valid, by the last 64 bits of each fingerprint (unsigned).

    What else is in the corpus plays no part, so a document stays where it is when the corpus grows.
    """
    mask_N: npt.NDArray[np.bool_] = draw_N / 2.0**64 < valid_fraction
    return mask_N
