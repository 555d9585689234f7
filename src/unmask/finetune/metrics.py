"""Scores of a classifier, by scikit-learn."""

from collections.abc import Sequence

from unmask.core.errors import UserError


def classification(gold: Sequence[int], predicted: Sequence[int]) -> dict[str, float]:
    """Accuracy, macro F1 over the classes that occur, and Matthews' correlation."""
    try:
        from sklearn import metrics
    except ImportError:
        raise UserError("scoring needs scikit-learn", "pip install 'unmask[finetune]'") from None
    return {
        "accuracy": float(metrics.accuracy_score(gold, predicted)),
        "macro_f1": float(metrics.f1_score(gold, predicted, average="macro", zero_division=0.0)),
        "mcc": float(metrics.matthews_corrcoef(gold, predicted)),
    }
