"""How far the probabilities of a classifier can be taken at their word.

Legend: N examples, C classes, K bins.
"""

import dataclasses

import numpy as np
import numpy.typing as npt

from unmask.core.errors import UserError
from unmask.finetune.metrics.arrays import paired

BINS = 15


@dataclasses.dataclass(frozen=True, slots=True)
class Bin:
    """Examples whose highest probability is above `lower` and at most `upper`."""

    lower: float
    upper: float
    count: int
    confidence: float
    """Mean of their highest probability."""
    accuracy: float


@dataclasses.dataclass(frozen=True, slots=True)
class Calibration:
    """A perfectly calibrated classifier has error 0: of what it gives 0.8, 80 % is right."""

    ece: float
    """Expected calibration error: mean distance of confidence and accuracy, over examples."""
    brier: float
    """Mean squared distance to the truth, summed over classes, so from 0 to 2 (Brier 1950)."""
    bins: tuple[Bin, ...]
    """For a reliability diagram; those that no example falls into are left out."""


def calibration(
    probability_NC: npt.NDArray[np.floating], gold_N: npt.ArrayLike, bins: int = BINS
) -> Calibration:
    """Compare probabilities with what came true, in bins of equal width (Guo et al. 2017).

    Raises:
        UserError: for no example, and for rows that are no probabilities, as of diverged weights.
    """
    exact_NC = probability_NC.astype(np.float64)
    _check(exact_NC)
    predicted_N, gold_N = paired(exact_NC.argmax(axis=1), gold_N)
    confidence_N, right_N = exact_NC.max(axis=1), predicted_N == gold_N
    filled = _bins(confidence_N, right_N, bins)
    distance = sum(one.count * abs(one.confidence - one.accuracy) for one in filled)
    truth_NC = np.arange(exact_NC.shape[1]) == gold_N[:, None]
    return Calibration(
        ece=distance / len(gold_N),
        brier=float(np.square(exact_NC - truth_NC).sum(axis=1).mean()),
        bins=filled,
    )


def _bins(
    confidence_N: npt.NDArray[np.float64], right_N: npt.NDArray[np.bool_], bins: int
) -> tuple[Bin, ...]:
    edges = np.linspace(0, 1, bins + 1)
    # Probabilities of float32 sum to 1 but for rounding, so one may be a little above it.
    bin_N = np.minimum(np.searchsorted(edges, confidence_N, side="left"), bins) - 1
    return tuple(
        Bin(
            lower=float(edges[index]),
            upper=float(edges[index + 1]),
            count=int(chosen_N.sum()),
            confidence=float(confidence_N[chosen_N].mean()),
            accuracy=float(right_N[chosen_N].mean()),
        )
        for index in np.unique(bin_N)
        for chosen_N in [bin_N == index]
    )


def _check(probability_NC: npt.NDArray[np.float64]) -> None:
    sums_N = probability_NC.sum(axis=1)
    good_N = (probability_NC >= 0).all(axis=1) & (np.abs(sums_N - 1) < 1e-3)
    if not good_N.all():
        first = int(good_N.argmin())
        raise UserError(
            f"{int((~good_N).sum()):,} of {len(good_N):,} rows are no probabilities; the first, of "
            f"example {first + 1:,}, sums to {sums_N[first]:g}",
            "if the sum is nan, the model has diverged: train it with a lower learning rate",
        )
