"""How answers about texts are scored: one class, several, or a number.

Legend: N examples, C classes of the task.
"""

import dataclasses
from pathlib import Path

import numpy as np
import numpy.typing as npt

from unmask.core import files
from unmask.finetune.forward import Logits
from unmask.finetune.metrics import calibration, classification, multilabel, regression
from unmask.finetune.softmax import softmax
from unmask.finetune.task import Facts, Scores

PREDICTIONS = "predictions.json"
POINTS = 2000
"""Most points of a scatter plot in a report."""


@dataclasses.dataclass(frozen=True, slots=True)
class ClassJudge:
    """One class an example."""

    gold_N: npt.NDArray[np.int64]
    labels: tuple[str, ...]
    outputs: tuple[int, ...]
    """Which output of the model stands for each label."""
    metrics: tuple[str, ...] = ("accuracy", "macro_f1", "mcc")

    def scores(self, logits: Logits) -> Scores:
        """Those of the task, in its order."""
        said_N = self._said(logits)
        found = classification.classification(self.gold_N, said_N)
        if len(self.labels) == 2:
            found = classification.positive_class(self.gold_N, said_N, 1) | found
        return {name: found[name] for name in self.metrics}

    def details(self, logits: Logits) -> Facts:
        """Each class, the confusion matrix and the calibration curve."""
        said_N = self._said(logits)
        found = classification.per_class(self.gold_N, said_N, self.labels)
        return {
            "labels": list(self.labels),
            "per_class": {label: dataclasses.asdict(score) for label, score in found.items()},
            "confusion": classification.confusion(self.gold_N, said_N, len(self.labels)),
            "calibration": dataclasses.asdict(
                calibration.calibration(softmax(self._of_task(logits)), self.gold_N)
            ),
        }

    def settled(self, logits: Logits) -> Facts:
        """Nothing: the likeliest class is the answer."""
        return {}

    def stuck(self, logits: Logits) -> bool:
        """Whether one class is the answer to everything."""
        return len(np.unique(self._said(logits))) == 1 and len(np.unique(self.gold_N)) > 1

    def write(self, logits: Logits, folder: Path) -> None:
        """Write the label of each example, in order."""
        said = [self.labels[number] for number in self._said(logits)]
        files.write_json(folder / PREDICTIONS, said)

    def _of_task(self, logits: Logits) -> Logits:
        return logits[:, list(self.outputs)]

    def _said(self, logits: Logits) -> npt.NDArray[np.int64]:
        said_N: npt.NDArray[np.int64] = self._of_task(logits).argmax(1)
        return said_N


@dataclasses.dataclass(frozen=True, slots=True)
class SeveralJudge:
    """Any number of classes an example: those with a probability of a half or more."""

    gold_NC: npt.NDArray[np.bool_]
    labels: tuple[str, ...]

    def scores(self, logits: Logits) -> Scores:
        """F1 over all decisions, its mean over the labels, and examples that are all right."""
        found = self._found(logits)
        return {
            "micro_f1": found.micro_f1,
            "macro_f1": found.macro_f1,
            "exact_match": found.exact_match,
        }

    def details(self, logits: Logits) -> Facts:
        """Each label."""
        per_label = self._found(logits).per_label.items()
        return {
            "labels": list(self.labels),
            "per_class": {label: dataclasses.asdict(score) for label, score in per_label},
        }

    def settled(self, logits: Logits) -> Facts:
        """Nothing: a half is the threshold."""
        return {}

    def stuck(self, logits: Logits) -> bool:
        """Whether all examples are given the same labels, and have others."""
        same = bool((self._said(logits) == self._said(logits)[:1]).all())
        return same and not bool((self.gold_NC == self.gold_NC[:1]).all())

    def write(self, logits: Logits, folder: Path) -> None:
        """Write the labels of each example, in order."""
        said = [
            [label for label, given in zip(self.labels, row, strict=True) if given]
            for row in self._said(logits).tolist()
        ]
        files.write_json(folder / PREDICTIONS, said)

    def _said(self, logits: Logits) -> npt.NDArray[np.bool_]:
        return logits >= 0

    def _found(self, logits: Logits) -> multilabel.MultilabelScores:
        return multilabel.multilabel(self.gold_NC, self._said(logits), self.labels)


@dataclasses.dataclass(frozen=True, slots=True)
class NumberJudge:
    """A number an example."""

    gold_N: npt.NDArray[np.float32]
    metrics: tuple[str, ...] = ("pearson", "spearmanr", "combined", "mse")
    factor: float = 1.0
    """Brings the model's output into the range of the task."""

    def scores(self, logits: Logits) -> Scores:
        """Those of the task, in its order."""
        found = regression.regression(self.gold_N, self._said(logits))
        return {name: found[name] for name in self.metrics}

    def details(self, logits: Logits) -> Facts:
        """Gold and predicted numbers."""
        said_N = self._said(logits)
        return {"gold": _some(self.gold_N), "predicted": _some(said_N)}

    def settled(self, logits: Logits) -> Facts:
        """Nothing."""
        return {}

    def stuck(self, logits: Logits) -> bool:
        """Whether all examples are given nearly the same number."""
        spread, wanted = self._said(logits).std(), self.gold_N.std()
        return bool(spread < 1e-3 * wanted)

    def write(self, logits: Logits, folder: Path) -> None:
        """Write the number of each example, in order."""
        files.write_json(folder / PREDICTIONS, self._said(logits).tolist())

    def _said(self, logits: Logits) -> npt.NDArray[np.float32]:
        return logits[:, 0] * np.float32(self.factor)


def _some(values_N: npt.NDArray[np.float32]) -> list[float]:
    every = max(1, -(-len(values_N) // POINTS))
    return [round(value, 4) for value in values_N[::every].tolist()]
