"""The scores of GLUE's tasks, under the names that papers give them.

Legend: N examples.
"""

from collections.abc import Mapping, Sequence

from unmask.finetune.glue.tasks import Task
from unmask.finetune.metrics.classification import classification, positive_class
from unmask.finetune.metrics.regression import regression

POSITIVE = 1
"""The class whose F1 MRPC and QQP report: equivalent, duplicate."""


def class_scores(task: Task, gold_N: Sequence[int], predicted_N: Sequence[int]) -> dict[str, float]:
    """Score classes, numbered as in `task.labels`, by the task's metrics, in their order."""
    assert task.labels
    scores = classification(gold_N, predicted_N)
    if "f1" in task.metrics:
        scores |= positive_class(gold_N, predicted_N, POSITIVE)
    return {name: scores[name] for name in task.metrics}


def number_scores(
    task: Task, gold_N: Sequence[float], predicted_N: Sequence[float]
) -> dict[str, float]:
    """Score numbers by the task's metrics, in their order."""
    assert task.range
    scores = regression(gold_N, predicted_N)
    return {name: scores[name] for name in task.metrics}


def of_files(scores: Mapping[str, Mapping[str, float]]) -> dict[str, float]:
    """Join the scores of a split's files, by their names in `files.find`, in their order.

    Where there are several, as for MNLI, each score is named by its file, too: `accuracy_matched`,
    `accuracy_mismatched`.
    """
    if len(scores) == 1:
        return dict(*scores.values())
    return {
        f"{metric}_{file.partition('_')[2]}": value
        for file, found in scores.items()
        for metric, value in found.items()
    }
