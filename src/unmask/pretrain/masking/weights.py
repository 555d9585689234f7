"""Drawing whole numbers by weight, through one hash each.

Weights are integers and so is the draw, so numpy and torch agree on any device.
"""

import numpy as np
import numpy.typing as npt

from unmask.core.hashing import IntArray, below
from unmask.pretrain.masking.arrays import like, searched
from unmask.tokens.format import Ints


def cumulated(weights: npt.NDArray[np.integer]) -> Ints:
    """Running sums, the form in which `weighted` reads weights; they sum to 1 at least."""
    return np.cumsum(weights, dtype=np.int64)


def weighted(bits: IntArray, cumulative: Ints) -> IntArray:
    """Map 64 random bits to a number n, drawn in proportion to weight n."""
    return searched(like(cumulative, bits), below(bits, int(cumulative[-1])))
