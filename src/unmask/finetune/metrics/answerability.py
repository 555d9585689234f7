"""SQuAD 2.0 with a threshold: where a model's no-answer score is above it, it gives no answer.

Legend: N questions, P predicted ones, K thresholds that make a difference.
"""

import dataclasses
import math
from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from unmask.core.errors import UserError
from unmask.finetune.metrics.answers import Graded, Predictions, References
from unmask.finetune.metrics.squad import breakdown, grade2

Floats = npt.NDArray[np.float64]


def squad2_with_threshold(
    references: References,
    predictions: Predictions,
    no_answer: Mapping[str, float],
    threshold: float,
) -> dict[str, float]:
    """Score SQuAD 2.0 at a threshold, and find the best one for these questions.

    `no_answer` has a score for each prediction, the higher the less likely an answer: a probability
    or the difference of the null score and the best answer's. To `squad2`'s scores it adds
    "best_exact", "best_exact_thresh", "best_f1" and "best_f1_thresh", as the official script.

    Two of the script's corners are rounded, so that a best score is always what its threshold
    gives: questions with the same no-answer score go over the threshold together, and the
    threshold that silences all is below every no-answer score, even where some are negative.
    """
    graded = grade2(references, predictions)
    no_answer_N = _scores(references, predictions, no_answer)
    kept_N = no_answer_N <= threshold
    at_threshold = dataclasses.replace(
        graded,
        exact_N=_silenced(graded.exact_N, graded, kept_N),
        f1_N=_silenced(graded.f1_N, graded, kept_N),
    )
    best_exact, best_exact_threshold = _best(graded.exact_N, graded, no_answer_N)
    best_f1, best_f1_threshold = _best(graded.f1_N, graded, no_answer_N)
    return breakdown(at_threshold) | {
        "best_exact": best_exact,
        "best_exact_thresh": best_exact_threshold,
        "best_f1": best_f1,
        "best_f1_thresh": best_f1_threshold,
    }


def _silenced(score_N: Floats, graded: Graded, kept_N: npt.NDArray[np.bool_]) -> Floats:
    """Score "no answer" in place of the predictions that are not kept."""
    return np.where(kept_N | ~graded.predicted_N, score_N, ~graded.answerable_N)


def _best(score_N: Floats, graded: Graded, no_answer_N: Floats) -> tuple[float, float]:
    """Find the highest mean, in percent, and the lowest threshold that gives it."""
    silent_N = _silenced(score_N, graded, np.zeros(len(score_N), np.bool_))
    no_answer_P, gain_P = no_answer_N[graded.predicted_N], (score_N - silent_N)[graded.predicted_N]
    order_P = np.argsort(no_answer_P, kind="stable")
    ascending_P = no_answer_P[order_P]
    # All are silent first; then one distinct no-answer score after the other is let through.
    last_of_ties_P = np.diff(ascending_P, append=np.inf) > 0
    sum_K = np.cumsum([silent_N.sum(), *gain_P[order_P]])[np.append(True, last_of_ties_P)]
    threshold_K = np.append(_below(ascending_P.min(initial=np.inf)), ascending_P[last_of_ties_P])
    best = int(sum_K.argmax())
    return 100 * float(sum_K[best]) / len(score_N), float(threshold_K[best])


def _below(lowest: float) -> float:
    return 0.0 if lowest > 0 else math.nextafter(lowest, -math.inf)


def _scores(
    references: References, predictions: Predictions, no_answer: Mapping[str, float]
) -> Floats:
    """Line the no-answer scores up; what has no prediction, and so no score, is 0."""
    for question in filter(predictions.__contains__, references):
        score = no_answer.get(question)
        if score is None or not math.isfinite(score):
            is_what = "has no no-answer score" if score is None else f"has no-answer score {score}"
            raise UserError(
                f"question {question} {is_what}",
                "give each prediction a finite score, as `predict` writes them",
            )
    return np.array([no_answer.get(question, 0.0) for question in references], np.float64)
