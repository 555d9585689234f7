"""From what was seen of an input to the range that 8 bits cover.

Legend: N bins, C candidates of a side.
"""

from itertools import product

import numpy as np
import numpy.typing as npt

from unmask.core.errors import UserError
from unmask.export.config import PERCENTILE, Method
from unmask.export.int8.entropy import least_divergence
from unmask.export.int8.histogram import Histogram
from unmask.export.int8.observed import Observed

BINS = 2048
"""Where many cuts are tried: a step of 8 bits over all that was seen is two of them or more."""
MOST = 255
"""The largest number of 8 bits."""
CUTS = 16
"""Tried of each side, each by the square root of two: down to 1/256, as outliers ask for."""
REFINEMENTS = 4

Cut = tuple[float, float]


def limits(observed: Observed, method: Method, percentile: float = PERCENTILE) -> Cut:
    """Find the least and the largest input that 8 bits shall tell apart.

    | method     | range                                                                        |
    |------------|------------------------------------------------------------------------------|
    | min-max    | all that was seen                                                            |
    | percentile | the least that leaves out at most (100 - percentile) / 2 % on either side    |
    | mse        | the one of the least squared error of rounding and cutting                   |
    | entropy    | the one that changes the distribution least: see entropy.py                  |

    None is wider than what was seen. UserError for a percentile that is none.
    """
    assert observed.rows, "something was seen"
    low, high = _cut(observed, method, percentile)
    return max(low, observed.low), min(high, observed.high)


def step(low: float, high: float) -> tuple[float, int]:
    """The step and the number of 0, from 0 to 255, of a range: 8 bits, asymmetric.

    0 can be told exactly, so a range that leaves it out is widened up to it. One of nothing but 0
    says nothing: it is taken as -1 to 1. The step is a number of 32 bits.
    """
    low, high = min(low, 0.0), max(high, 0.0)
    if (high - low) / MOST < np.finfo(np.float32).tiny:
        low, high = -1.0, 1.0
    scale = np.float32((high - low) / MOST)
    return float(scale), min(max(round(-low / float(scale)), 0), MOST)


def _cut(observed: Observed, method: Method, percentile: float) -> Cut:
    match method:
        case "min-max":
            return observed.low, observed.high
        case "percentile":
            return _percentile(observed.histogram, percentile)
        case "mse":
            return _least_error(observed.histogram.coarse(BINS), observed.low, observed.high)
        case "entropy":
            return least_divergence(observed.histogram.coarse(BINS))


def _percentile(histogram: Histogram, percentile: float) -> Cut:
    if not 50 < percentile <= 100:
        raise UserError(
            f"a percentile of {percentile:g}: it is the share of numbers, in %, that are kept",
            f"give one above 50 and up to 100, such as {PERCENTILE:g}",
        )
    below_N = histogram.counts_N.cumsum()
    above_N = histogram.counts_N[::-1].cumsum()
    spare = below_N[-1] * (100 - percentile) / 200
    first = int(np.searchsorted(below_N, spare, side="right"))
    last = int(np.searchsorted(above_N, spare, side="right"))
    return float(histogram.edges_N1[first]), float(histogram.edges_N1[::-1][last])


def _least_error(histogram: Histogram, low: float, high: float) -> Cut:
    """Try both sides, coarsely first and then around the best, finer and finer."""
    if not histogram.top:
        return low, high
    occupied = np.flatnonzero(histogram.counts_N)
    inner = slice(int(occupied[0]), int(occupied[-1]) + 1)
    edges_N1 = histogram.edges_N1[inner.start : inner.stop + 1]
    density_N = histogram.counts_N[inner] / np.diff(edges_N1)

    def error(cut: Cut) -> float:
        return float((density_N * np.diff(_error_up_to(edges_N1, *cut))).sum())

    shares_C = 2.0 ** (-np.arange(CUTS + 1) / 2)
    best = min(product(_sides(low, shares_C, 0), _sides(high, shares_C, 1)), key=error)
    for round_ in range(REFINEMENTS):
        shares_C = 2.0 ** (np.array([0.0, -1.0, 1.0]) / 2 ** (round_ + 2))
        lows = [max(low, side) for side in _sides(best[0], shares_C, 0)]
        highs = [min(high, side) for side in _sides(best[1], shares_C, 1)]
        best = min(product(lows, highs), key=error)
    return best


def _sides(end: float, shares_C: npt.NDArray[np.float64], side: int) -> list[float]:
    """Parts of one end of a range; only that of the range's own side can be cut."""
    on_its_side = end < 0 if side == 0 else end > 0
    return (end * shares_C).tolist() if on_its_side else [end]


def _error_up_to(
    edges_N1: npt.NDArray[np.float64], low: float, high: float
) -> npt.NDArray[np.float64]:
    """The integral of rounding's squared error up to each edge, but for a constant.

    Within the range it is a saw tooth: a whole step from -scale / 2 to scale / 2 adds scale^3 / 12.
    Outside it grows with the cube of the distance. So bins may be wider than a step.
    """
    scale, zero = step(low, high)
    inside_N1 = np.clip(edges_N1, -zero * scale, (MOST - zero) * scale)
    whole_N1 = np.round(inside_N1 / scale)
    part_N1 = inside_N1 - whole_N1 * scale
    return whole_N1 * scale**3 / 12 + (part_N1**3 + (edges_N1 - inside_N1) ** 3) / 3
