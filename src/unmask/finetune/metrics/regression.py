"""Scores of a model that gives each example a number, as GLUE scores STS-B.

Legend: N examples.
"""

import warnings

import numpy as np
import numpy.typing as npt

from unmask.core.errors import UserError
from unmask.core.progress import say
from unmask.finetune.metrics.arrays import Array, paired


def regression(gold_N: npt.ArrayLike, predicted_N: npt.ArrayLike) -> dict[str, float]:
    """Pearson's and Spearman's correlation, their mean "combined", and the mean squared error.

    A correlation with what is constant is undefined: it counts as 0, and that is said.

    Raises:
        UserError: for a value that is not finite, and for less than two examples.
    """
    gold_N, predicted_N = (values_N.astype(np.float64) for values_N in paired(gold_N, predicted_N))
    _refuse_non_finite(gold_N, "gold values")
    _refuse_non_finite(predicted_N, "predictions")
    if len(gold_N) < 2:
        raise UserError("1 example has no correlation", "give at least two examples")
    pearson, spearman = _correlations(gold_N, predicted_N)
    return {
        "pearson": pearson,
        "spearmanr": spearman,
        "combined": (pearson + spearman) / 2,
        "mse": float(np.square(gold_N - predicted_N).mean()),
    }


def _correlations(gold_N: Array, predicted_N: Array) -> tuple[float, float]:
    try:
        from scipy import stats
    except ImportError:
        raise UserError("scoring needs scipy", "pip install 'unmask[finetune]'") from None
    with warnings.catch_warnings():
        warnings.simplefilter("error", stats.DegenerateDataWarning)
        try:
            pearson = stats.pearsonr(gold_N, predicted_N).statistic
            return float(pearson), float(stats.spearmanr(gold_N, predicted_N).statistic)
        except stats.DegenerateDataWarning:
            say(
                f"the correlations count as 0: gold values are {gold_N.min():g} to "
                f"{gold_N.max():g}, predictions {predicted_N.min():g} to {predicted_N.max():g}"
            )
    return 0.0, 0.0


def _refuse_non_finite(values_N: Array, whose: str) -> None:
    bad = np.flatnonzero(~np.isfinite(values_N))
    if len(bad):
        raise UserError(
            f"{len(bad):,} of {len(values_N):,} {whose} are not finite, the first of them in "
            f"example {bad[0] + 1:,}",
            "mend the label; if it is a prediction, the model has diverged: train it with a lower "
            "learning rate",
        )
