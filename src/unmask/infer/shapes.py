"""Shapes of batches without padding, and the few that are filled up to.

A CUDA graph does the work of one shape. So that few graphs serve many batches, a batch is filled up
to a shape of a coarse grid by further short sequences, whose answers nobody reads.
"""

import bisect
import dataclasses
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from unmask.tokenizer.batch import Batch


def _grid(first: int, last: int) -> tuple[int, ...]:
    """Doubles of `first`, with one size halfway between each two."""
    doubles = [first << power for power in range((last // first).bit_length())]
    return tuple(size for double in doubles for size in (double, double * 3 // 2) if size <= last)


LARGEST = 8192
"""Tokens of the largest bucket. A graph saves the time to start kernels; with more tokens a card
should take longer to run them than to start them, and the filling would cost. Not measured."""
TOKENS = _grid(64, LARGEST)
SEQUENCES = _grid(4, LARGEST)
WIDTHS = 32, 64, 128, 256, 512


@dataclasses.dataclass(frozen=True, slots=True)
class Shape:
    """How much a batch holds."""

    tokens: int
    """Of all its sequences."""
    sequences: int
    longest: int
    """No sequence has more tokens."""

    @classmethod
    def of(cls, batch: Batch) -> "Shape":
        """Count what a batch holds without its padding."""
        lengths_B = batch.mask_BL.sum(1)
        return cls(int(lengths_B.sum()), len(lengths_B), int(lengths_B.max()))

    def bucket(self, max_length: int) -> "Shape | None":
        """The least shape of the grid that this one can be filled up to; None if none is so large.

        `max_length` is the most tokens that the model takes in a sequence. There are enough
        sequences for `filling` to put no more than `longest` tokens into any.
        """
        widths = *(width for width in WIDTHS if width < max_length), max_length
        tokens, longest = _next(self.tokens, TOKENS), _next(self.longest, widths)
        if tokens is None or longest is None:
            return None
        fillers = -(-(tokens - self.tokens) // longest)
        sequences = _next(self.sequences + fillers, SEQUENCES)
        return None if sequences is None else Shape(tokens, sequences, longest)

    def filling(self, bucket: "Shape") -> npt.NDArray[np.int64]:
        """Lengths of the sequences that fill this shape up to a bucket.

        They are alike and so as short as can be, as attention costs their squares; some may be 0.
        """
        sequences, tokens = bucket.sequences - self.sequences, bucket.tokens - self.tokens
        return (np.arange(sequences) + tokens) // max(sequences, 1)


def _next(number: int, sizes: Sequence[int]) -> int | None:
    place = bisect.bisect_left(sizes, number)
    return sizes[place] if place < len(sizes) else None
