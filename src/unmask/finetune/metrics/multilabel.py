"""Scores of a classifier that gives each example any number of labels.

Legend: N examples, C labels.
"""

import dataclasses
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from unmask.finetune.metrics.arrays import paired
from unmask.finetune.metrics.precision_recall import Score


@dataclasses.dataclass(frozen=True, slots=True)
class MultilabelScores:
    """F1 in its two averages, and the share of examples whose labels are all right."""

    micro_f1: float
    """Over all decisions at once."""
    macro_f1: float
    """Mean over all labels; one that is neither there nor predicted counts as 0."""
    exact_match: float
    per_label: dict[str, Score]


def multilabel(
    gold_NC: npt.NDArray[np.bool_], predicted_NC: npt.NDArray[np.bool_], labels: Sequence[str]
) -> MultilabelScores:
    """Score decisions, one for each example and label; column c is `labels[c]`."""
    gold_NC, predicted_NC = paired(gold_NC, predicted_NC)
    assert gold_NC.dtype == predicted_NC.dtype == np.bool_
    hits_C = (gold_NC & predicted_NC).sum(axis=0).tolist()
    said_C, there_C = predicted_NC.sum(axis=0).tolist(), gold_NC.sum(axis=0).tolist()
    counts = zip(labels, hits_C, said_C, there_C, strict=True)
    per_label = {label: Score.of(hits, said, there) for label, hits, said, there in counts}
    return MultilabelScores(
        micro_f1=Score.of(sum(hits_C), sum(said_C), sum(there_C)).f1,
        macro_f1=sum(score.f1 for score in per_label.values()) / len(per_label),
        exact_match=float((gold_NC == predicted_NC).all(axis=1).mean()),
        per_label=per_label,
    )
