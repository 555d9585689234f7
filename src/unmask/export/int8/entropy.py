"""The cut that keeps the most of a distribution (TensorRT's calibration).

Legend: N bins of a histogram, P of them within a cut, Q steps of 8 bits.
"""

import numpy as np
import numpy.typing as npt

from unmask.export.int8.histogram import Histogram

STEPS = 256
"""Steps of 8 bits over the whole cut. onnxruntime takes 128 unless told otherwise."""
SMOOTHING = 1e-4
"""What a bin without any number counts as."""

Doubles = npt.NDArray[np.float64]


def least_divergence(histogram: Histogram, steps: int = STEPS) -> tuple[float, float]:
    """Find the cut, equally far on both sides of 0, that changes the distribution least.

    For every cut: the distribution with its tails put into the outermost bins, against the same
    without tails in so many steps, by KL divergence (Migacz 2017, "8-bit inference with TensorRT").
    As onnxruntime/quantization/calibrate.py has it (HistogramCollector.get_entropy_threshold).
    """
    counts_N = histogram.counts_N
    middle = len(counts_N) // 2
    edges_N1 = histogram.edges_N1
    halves = range(steps // 2, middle + 1)
    best = min(halves, key=lambda half: _divergence(counts_N, half, steps))
    first, last = _bounds(middle, best)
    return float(edges_N1[first]), float(edges_N1[last])


def _bounds(middle: int, half: int) -> tuple[int, int]:
    """The first bin of a cut, and the one after its last; the bin at 0 is none of either half."""
    return middle - half, min(middle + half + 1, 2 * middle)


def _divergence(counts_N: npt.NDArray[np.int64], half: int, steps: int) -> float:
    first, last = _bounds(len(counts_N) // 2, half)
    inner_P = counts_N[first:last]
    whole_P = inner_P.copy()
    whole_P[0] += counts_N[:first].sum()
    whole_P[-1] += counts_N[last:].sum()
    return _relative_entropy(_smooth(whole_P), _smooth(_stepped(inner_P, whole_P > 0, steps)))


def _stepped(
    inner_P: npt.NDArray[np.int64], some_P: npt.NDArray[np.bool_], steps: int
) -> npt.NDArray[np.int64]:
    """Spread each step's count evenly over its bins; whole numbers, rounded down.

    A step's share goes by how many of its bins hold something, though all of them get it, and
    bins that are left over get nothing: onnxruntime has it so.
    """
    width = len(inner_P) // steps
    covered = width * steps
    count_Q = inner_P[:covered].reshape(steps, width).sum(1)
    count_Q[-1] += inner_P[covered:].sum()
    some_Q = some_P[:covered].reshape(steps, width).sum(1)
    share_Q = count_Q // np.maximum(some_Q, 1) * (some_Q > 0)
    return np.pad(np.repeat(share_Q, width), (0, len(inner_P) - covered))


def _smooth(counts_P: npt.NDArray[np.int64]) -> Doubles:
    """Let no bin be empty; what that takes comes from the others."""
    empty_P = counts_P == 0
    empty = int(empty_P.sum())
    full = len(counts_P) - empty
    smooth_P = np.where(empty_P, SMOOTHING, counts_P - SMOOTHING * empty / max(full, 1))
    return smooth_P if full else np.zeros(len(counts_P))


def _relative_entropy(p_P: Doubles, q_P: Doubles) -> float:
    """The KL divergence of q from p, in nats; infinite if nothing is left in either."""
    if not p_P.any() or not q_P.any():
        return float("inf")
    p_P, q_P = p_P / p_P.sum(), q_P / q_P.sum()
    return float((p_P * np.log(p_P / q_P)).sum())
