"""What a run tells of its steps: a row of `metrics.jsonl` and the note beside the bar."""

import math
import time
from collections.abc import Iterable
from typing import Any

import torch

from unmask.pretrain.objective import Counts, Losses

NAMES = (
    "loss",
    "accuracy",
    "nsp_loss",
    "nsp_accuracy",
    "grad_norm",
    "masked",
    "pairs",
    "tokens",
    "blocks",
    "places",
)
MEANS = ("loss", "accuracy", "grad_norm")
PAIR_MEANS = ("nsp_loss", "nsp_accuracy")


class Meter:
    """Losses and speed since the last row; the numbers stay on the device until then."""

    def __init__(self) -> None:
        self.restart()

    def restart(self) -> None:
        """Forget what was measured, so that other work is not counted in."""
        self._steps: list[torch.Tensor] = []
        self._restored = 0
        self.rewind()

    def rewind(self) -> None:
        """Measure the speed from now on."""
        self._timed_from, self._started = len(self._steps), time.perf_counter()

    def add(self, losses: Losses, norm: torch.Tensor, counts: Counts) -> None:
        """Take in one step."""
        found = torch.stack([losses.loss, losses.accuracy, losses.nsp_loss, losses.nsp_accuracy])
        self._steps.append(torch.cat([found.double(), norm.double()[None], counts.numbers]))

    @property
    def steps(self) -> int:
        """Steps since the last row that this process has made."""
        return len(self._steps) - self._restored

    def row(self, number: int, lr: float) -> dict[str, Any]:
        """Sum up the steps since the last row, and begin anew.

        `loss` is that of masked tokens alone, `nsp_loss` that of pairs; what is minimised is their
        sum. `padding_share` is of all places; of them attention computes the padding, too.
        """
        rows = torch.stack(self._steps).tolist()
        seconds = time.perf_counter() - self._started
        timed = rows[self._timed_from :]
        columns = dict(zip(NAMES, zip(*rows, strict=True), strict=True))
        means = (*MEANS, *PAIR_MEANS) if sum(columns["pairs"]) else MEANS
        self.restart()
        tokens = sum(columns["tokens"])
        return {
            "kind": "train",
            "step": number,
            **{name: _mean(columns[name]) for name in means},
            "lr": lr,
            "blocks": int(sum(columns["blocks"])),
            "tokens": int(tokens),
            "masked_share": sum(columns["masked"]) / max(1, tokens),
            "padding_share": 1 - tokens / sum(columns["places"]),
            "tokens_per_s": sum(row[NAMES.index("tokens")] for row in timed) / seconds,
        }

    def state(self) -> list[list[float]]:
        """The steps since the last row; floats survive JSON to the bit."""
        return [step.tolist() for step in self._steps]

    def restore(self, state: list[list[float]], device: torch.device) -> None:
        """Go on from a saved state; the speed is that of the steps to come."""
        self._steps = [torch.tensor(step, dtype=torch.float64, device=device) for step in state]
        self._restored = len(state)
        self.rewind()


def _mean(numbers: Iterable[float]) -> float:
    """Of the steps that have a number: one that was left out may have none."""
    finite = [number for number in numbers if math.isfinite(number)]
    return sum(finite) / len(finite) if finite else math.nan


def note(row: dict[str, Any]) -> str:
    """Put the gist of a row into a few words."""
    words = [f"loss {row['loss']:.3f}"]
    if "nsp_accuracy" in row:
        words.append(f"next sentence {row['nsp_accuracy']:.1%}")
    return "  ".join([*words, f"{row['tokens_per_s']:,.0f} tokens/s"])
