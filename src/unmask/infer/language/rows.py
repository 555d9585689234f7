"""Rows of ids that a model is asked about at some places, and their padding.

Every row is a single text, so every token is of type 0. B batch, L length, N asked places of a row.
"""

import dataclasses
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

Ints = npt.NDArray[np.int64]


@dataclasses.dataclass(frozen=True, slots=True)
class Row:
    """One sequence with its special tokens, as the model reads it."""

    ids_L: Ints
    places_N: Ints
    """Where it is asked what stands there."""


def padded(rows: Sequence[Row], pad_id: int) -> tuple[Ints, npt.NDArray[np.bool_]]:
    """Pad ids_BL on the right, to the longest, and say as mask_BL where there is a token."""
    lengths_B = np.array([len(row.ids_L) for row in rows])
    mask_BL = np.arange(lengths_B.max(initial=0)) < lengths_B[:, None]
    ids_BL = np.full(mask_BL.shape, pad_id, np.int64)
    ids_BL[mask_BL] = np.concatenate([row.ids_L for row in rows])
    return ids_BL, mask_BL


def places(rows: Sequence[Row]) -> tuple[Ints, npt.NDArray[np.bool_]]:
    """Lay the asked places out as places_BN, and say as real_BN which of them are any."""
    counts_B = np.array([len(row.places_N) for row in rows])
    real_BN = np.arange(counts_B.max(initial=0)) < counts_B[:, None]
    places_BN = np.zeros(real_BN.shape, np.int64)
    places_BN[real_BN] = np.concatenate([row.places_N for row in rows])
    return places_BN, real_BN
