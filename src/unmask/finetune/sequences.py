"""Token ids of many sequences, end to end.

Legend: N sequences, T tokens of all of them.
"""

import dataclasses
from collections.abc import Iterable, Sequence
from itertools import chain

import numpy as np
import numpy.typing as npt

Ints = npt.NDArray[np.int64]


@dataclasses.dataclass(frozen=True, slots=True)
class Sequences:
    """Sequence n is ids_T[starts_N1[n] : starts_N1[n + 1]], with its special tokens."""

    ids_T: npt.NDArray[np.int32]
    types_T: npt.NDArray[np.int8]
    """BERT's segment of each token; all 0 for RoBERTa."""
    starts_N1: Ints

    @classmethod
    def of(cls, ids: Sequence[Sequence[int]], types: Iterable[Sequence[int]]) -> "Sequences":
        """Lay lists of ids and of their types end to end."""
        lengths_N = np.fromiter(map(len, ids), np.int64, len(ids))
        starts_N1 = np.concatenate([[0], lengths_N.cumsum()])
        total = int(starts_N1[-1])
        return cls(
            np.fromiter(chain.from_iterable(ids), np.int32, total),
            np.fromiter(chain.from_iterable(types), np.int8, total),
            starts_N1,
        )

    def __len__(self) -> int:
        return len(self.starts_N1) - 1

    @property
    def lengths_N(self) -> Ints:  # noqa: N802
        """Tokens of each sequence."""
        return np.diff(self.starts_N1)


def counted(start_N: Ints, length_N: Ints) -> Ints:
    """Count on from each start, all end to end: starts 5 0, lengths 2 3 gives 5 6 0 1 2."""
    before_N = length_N.cumsum() - length_N
    return np.arange(length_N.sum()) + np.repeat(start_N - before_N, length_N)
