"""Counted words: what a vocabulary is learnt from.

Shapes: S letters (bytes) or symbols of all words, W words.
"""

import dataclasses
from collections.abc import Mapping

import numpy as np
import numpy.typing as npt


@dataclasses.dataclass(frozen=True, slots=True)
class Words:
    """Distinct words, as their bytes one after another, and how often each was seen."""

    letters_S: npt.NDArray[np.uint8]
    lengths_W: npt.NDArray[np.int32]
    counts_W: npt.NDArray[np.int64]

    @classmethod
    def of(cls, counts: Mapping[bytes, int]) -> "Words":
        """Lay out a mapping."""
        return cls(
            np.frombuffer(b"".join(counts), np.uint8),
            np.fromiter(map(len, counts), np.int32, len(counts)),
            np.fromiter(counts.values(), np.int64, len(counts)),
        )


@dataclasses.dataclass(frozen=True, slots=True)
class Pieces:
    """The same words as the symbols that the merges of a vocabulary have made of them."""

    symbols_S: npt.NDArray[np.int32]
    lengths_W: npt.NDArray[np.int32]
    counts_W: npt.NDArray[np.int64]
