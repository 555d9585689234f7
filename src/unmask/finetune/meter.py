"""What a fine-tuning tells of its steps: a row of `metrics.jsonl`."""

import math
import time
from typing import Any

import torch
from torch import Tensor

from unmask.finetune.objective import Counts


class Meter:
    """Loss and speed since the last row; the numbers stay on the device until then."""

    def __init__(self) -> None:
        self._steps: list[Tensor] = []
        self.rewind()

    def rewind(self) -> None:
        """Measure the speed from now on."""
        self._timed_from, self._started = len(self._steps), time.perf_counter()

    def add(self, totals: Tensor, norm: Tensor, counts: Counts) -> None:
        """Take in one step."""
        found = torch.stack([counts.minimised(totals).double(), norm.double()])
        self._steps.append(torch.cat([found, counts.numbers[1:]]))

    def row(self, step: int, lr: float) -> dict[str, Any]:
        """Sum up the steps since the last row, and begin anew."""
        rows = torch.stack(self._steps).tolist()
        timed, seconds = rows[self._timed_from :], time.perf_counter() - self._started
        self._steps = []
        self.rewind()
        return {
            "kind": "train",
            "step": step,
            "loss": _mean([row[0] for row in rows]),
            "grad_norm": _mean([row[1] for row in rows]),
            "lr": lr,
            "examples": int(sum(row[2] for row in rows)),
            "tokens": int(sum(row[3] for row in rows)),
            "examples_per_s": sum(row[2] for row in timed) / seconds,
            "tokens_per_s": sum(row[3] for row in timed) / seconds,
        }

    def state(self) -> list[list[float]]:
        """The steps since the last row; floats survive JSON to the bit."""
        return [step.tolist() for step in self._steps]

    def restore(self, state: list[list[float]], device: torch.device) -> None:
        """Go on from a saved state; the speed is that of the steps to come."""
        self._steps = [torch.tensor(step, dtype=torch.float64, device=device) for step in state]
        self.rewind()


def _mean(numbers: list[float]) -> float:
    """Of the steps that have a number: one that was left out may have none."""
    finite = [number for number in numbers if math.isfinite(number)]
    return sum(finite) / len(finite) if finite else math.nan
