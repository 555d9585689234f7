"""Scores of a classifier that gives each example one class.

Legend: N examples, C classes; a class is its number.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from unmask.core.errors import UserError
from unmask.finetune.metrics.arrays import paired
from unmask.finetune.metrics.precision_recall import Score


def classification(gold_N: npt.ArrayLike, predicted_N: npt.ArrayLike) -> dict[str, float]:
    """Accuracy, macro F1 over the classes that occur, and Matthews' correlation.

    The correlation is that of several classes (Gorodkin 2004); 0 where it is undefined, as when
    one class takes all predictions.
    """
    metrics = _sklearn_metrics()
    gold_N, predicted_N = paired(gold_N, predicted_N)
    macro_f1 = metrics.f1_score(gold_N, predicted_N, average="macro", zero_division=0.0)
    several = len(np.union1d(gold_N, predicted_N)) > 1  # scikit-learn warns of a lone class
    return {
        "accuracy": float(metrics.accuracy_score(gold_N, predicted_N)),
        "macro_f1": float(macro_f1),
        "mcc": float(metrics.matthews_corrcoef(gold_N, predicted_N)) if several else 0.0,
    }


def positive_class(
    gold_N: npt.ArrayLike, predicted_N: npt.ArrayLike, positive: int
) -> dict[str, float]:
    """Accuracy and F1 of the class `positive`, and their mean, as GLUE scores MRPC and QQP."""
    gold_N, predicted_N = paired(gold_N, predicted_N)
    gold, said = gold_N == positive, predicted_N == positive
    score = Score.of(int((gold & said).sum()), int(said.sum()), int(gold.sum()))
    accuracy = float((gold_N == predicted_N).mean())
    return {
        "accuracy": accuracy,
        "precision": score.precision,
        "recall": score.recall,
        "f1": score.f1,
        "acc_and_f1": (accuracy + score.f1) / 2,
    }


def per_class(
    gold_N: npt.ArrayLike, predicted_N: npt.ArrayLike, labels: Sequence[str]
) -> dict[str, Score]:
    """Precision, recall and F1 of every class by its label; label n is that of class n."""
    counts_CC = confusion(gold_N, predicted_N, len(labels))
    predicted_C = [sum(column) for column in zip(*counts_CC, strict=True)]
    return {
        label: Score.of(row[number], predicted_C[number], sum(row))
        for number, (label, row) in enumerate(zip(labels, counts_CC, strict=True))
    }


def confusion(gold_N: npt.ArrayLike, predicted_N: npt.ArrayLike, classes: int) -> list[list[int]]:
    """Count examples by class: rows are gold, columns predicted, [C][C]."""
    metrics = _sklearn_metrics()
    gold_N, predicted_N = paired(gold_N, predicted_N)
    for array_N in (gold_N, predicted_N):
        assert 0 <= array_N.min() <= array_N.max() < classes, f"not all below {classes}"
    counts_CC = metrics.confusion_matrix(gold_N, predicted_N, labels=range(classes))
    return [[int(count) for count in row] for row in counts_CC]


def _sklearn_metrics() -> Any:  # noqa: ANN401
    try:
        from sklearn import metrics
    except ImportError:
        raise UserError("scoring needs scikit-learn", "pip install 'unmask[finetune]'") from None
    return metrics
