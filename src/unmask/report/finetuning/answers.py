"""`dev.json`: how the examples of dev were answered, as the task's judge told it.

Legend: N examples, C classes.
"""

import dataclasses
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from unmask.core import files
from unmask.core.errors import UserError
from unmask.finetune.metrics.calibration import Bin, Calibration
from unmask.report.thin import Floats

NAME = "dev.json"

Counts = npt.NDArray[np.int64]


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class Answers:
    """What there is depends on the task; the rest is empty."""

    labels: tuple[str, ...] = ()
    per_label: Mapping[str, Mapping[str, float]]
    """Scores of each class, or of each type of entity, by name."""
    confusion_CC: Counts | None = None
    """Rows are gold, columns predicted."""
    calibration: Calibration | None = None
    gold_N: Floats
    """Numbers to predict; what was predicted in `predicted_N`."""
    predicted_N: Floats


def read(folder: Path) -> Answers | None:
    """Read a run's; what is unknown in it is ignored. None if there is none yet.

    UserError if it is damaged.
    """
    path = folder / NAME
    try:
        return _answers(files.read_json(path)) if path.exists() else None
    except (ValueError, LookupError, TypeError, AttributeError) as error:
        what = f"{type(error).__name__}: {error}"
        raise UserError(
            f"{path}: damaged ({what})", "fine-tune again, or delete the file"
        ) from None


def _answers(table: Mapping[str, Any]) -> Answers:
    labels = tuple(map(str, table.get("labels", ())))
    gold_N, predicted_N = (
        np.array(table.get(name, ()), dtype=np.float64) for name in ("gold", "predicted")
    )
    if len(gold_N) != len(predicted_N):
        raise ValueError(f"{len(gold_N)} gold numbers, {len(predicted_N)} predicted ones")
    return Answers(
        labels=labels,
        per_label={
            str(label): {name: float(value) for name, value in scores.items()}
            for label, scores in table.get("per_class", {}).items()
        },
        confusion_CC=_confusion(table, len(labels)),
        calibration=_calibration(table.get("calibration")),
        gold_N=gold_N,
        predicted_N=predicted_N,
    )


def _confusion(table: Mapping[str, Any], classes: int) -> Counts | None:
    if "confusion" not in table:
        return None
    counts_CC = np.array(table["confusion"], dtype=np.int64)
    if counts_CC.shape != (classes, classes) or not classes:
        raise ValueError(f"a confusion matrix of shape {counts_CC.shape} for {classes} labels")
    return counts_CC


def _calibration(table: Mapping[str, Any] | None) -> Calibration | None:
    if table is None:
        return None
    bins = tuple(
        Bin(
            lower=float(one["lower"]),
            upper=float(one["upper"]),
            count=int(one["count"]),
            confidence=float(one["confidence"]),
            accuracy=float(one["accuracy"]),
        )
        for one in table["bins"]
    )
    found = Calibration(ece=float(table["ece"]), brier=float(table["brier"]), bins=bins)
    return found if bins and math.isfinite(found.ece) else None
