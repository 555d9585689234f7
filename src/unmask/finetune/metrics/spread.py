"""How sure a score is: over the seeds it was trained with, or the examples it was measured on.

Legend: S seeds, N examples, R resamples.
"""

import dataclasses
from collections.abc import Callable, Sequence
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from unmask.core import hashing
from unmask.core.errors import UserError
from unmask.finetune.metrics.arrays import paired

CONFIDENCE = 0.95
RESAMPLES = 10_000

Chosen: TypeAlias = npt.NDArray[np.int64]
"""Numbers of examples."""


@dataclasses.dataclass(frozen=True, slots=True)
class Spread:
    """One score of several runs that differ in their seed."""

    runs: int
    median: float
    mean: float
    minimum: float
    maximum: float
    low: float | None
    """95 % confidence interval of the mean; None for one run, which says nothing about others."""
    high: float | None


@dataclasses.dataclass(frozen=True, slots=True)
class Difference:
    """How much better the first of two runs is on the same examples."""

    difference: float
    """Score of the first minus score of the second, on the examples as they are."""
    low: float
    """95 % confidence interval over draws of the examples."""
    high: float
    p_value: float
    """Two-sided: how easily examples drawn anew turn the difference round."""


def spread(scores_S: Sequence[float]) -> Spread:
    """Summarise the scores of several seeds; UserError for none, and for one that is not finite.

    The interval is Student's t, as a handful of runs is too few for a bootstrap.
    """
    if not scores_S:
        raise UserError("there are no runs to summarise", "give the scores of at least one")
    array_S = np.asarray(scores_S, np.float64)
    if not np.isfinite(array_S).all():
        raise UserError(
            f"{int((~np.isfinite(array_S)).sum())} of {len(array_S)} runs have no finite score",
            "leave the diverged runs out, and say so",
        )
    mean = float(array_S.mean())
    half = _half_width(array_S) if len(array_S) > 1 else None
    return Spread(
        runs=len(array_S),
        median=float(np.median(array_S)),
        mean=mean,
        minimum=float(array_S.min()),
        maximum=float(array_S.max()),
        low=None if half is None else mean - half,
        high=None if half is None else mean + half,
    )


def paired_bootstrap(first_N: npt.ArrayLike, second_N: npt.ArrayLike, seed: int = 0) -> Difference:
    """Compare two runs by what they score on each of the same examples.

    Fits scores that are means over examples, such as accuracy, or the F1 of SQuAD.
    """
    first_N, second_N = paired(first_N, second_N)
    gain_N = first_N.astype(np.float64) - second_N.astype(np.float64)
    return paired_bootstrap_of(lambda chosen_N: float(gain_N[chosen_N].mean()), len(gain_N), seed)


def paired_bootstrap_of(
    difference: Callable[[Chosen], float], examples: int, seed: int = 0, resamples: int = RESAMPLES
) -> Difference:
    """Compare two runs by a score of any kind, such as Matthews' correlation (Koehn 2004).

    `difference` tells how much better the first run is on a choice of examples, given by their
    numbers. They are drawn with replacement, as many as there are, `resamples` times: for one seed
    the same draws on any machine.
    """
    key, all_N = hashing.stream("paired bootstrap", seed), np.arange(examples)
    drawn_R = np.array(
        [
            difference(hashing.below(hashing.draw(key, all_N + start), examples))
            for start in range(0, resamples * examples, examples)
        ]
    )
    tail = min(int((drawn_R <= 0).sum()), int((drawn_R >= 0).sum()))
    low, high = np.quantile(drawn_R, [(1 - CONFIDENCE) / 2, (1 + CONFIDENCE) / 2])
    return Difference(
        difference=difference(all_N),
        low=float(low),
        high=float(high),
        p_value=min(1.0, 2 * (tail + 1) / (resamples + 1)),
    )


def _half_width(array_S: npt.NDArray[np.float64]) -> float:
    try:
        from scipy import stats
    except ImportError:
        raise UserError("intervals need scipy", "pip install 'unmask[finetune]'") from None
    runs = len(array_S)
    quantile = stats.t.ppf((1 + CONFIDENCE) / 2, df=runs - 1)
    return float(quantile * array_S.std(ddof=1) / np.sqrt(runs))
