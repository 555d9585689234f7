"""What a run tells of its steps: a row of `metrics.jsonl` and the note beside the bar."""

import time
from typing import Any

import torch

from unmask.pretrain.trainer import Done


class Meter:
    """Losses and speed since the last row; losses stay on the device until then."""

    def __init__(self) -> None:
        self.restart()

    def restart(self) -> None:
        """Forget what was measured, so that other work is not counted in."""
        self._started, self._steps = time.perf_counter(), list[Done]()

    def add(self, step: Done) -> None:
        """Take in one step."""
        self._steps.append(step)

    def row(self, number: int, lr: float) -> dict[str, Any]:
        """Sum up the steps since the last row, and begin anew.

        `loss` is that of masked tokens alone, `nsp_loss` that of pairs; what is minimised is their
        sum. `padding_share` is of all that was computed.
        """
        losses = {"loss": _mean([step.loss for step in self._steps])}
        for name in ("nsp_loss", "nsp_accuracy"):
            if (values := [getattr(step, name) for step in self._steps])[0] is not None:
                losses[name] = _mean(values)
        seconds = time.perf_counter() - self._started
        blocks, tokens, places = (
            sum(getattr(step, name) for step in self._steps)
            for name in ("blocks", "tokens", "places")
        )
        self.restart()
        return (
            {"kind": "train", "step": number}
            | losses
            | {
                "lr": lr,
                "blocks": blocks,
                "tokens": tokens,
                "padding_share": 1 - tokens / places,
                "tokens_per_s": tokens / seconds,
            }
        )


def note(row: dict[str, Any]) -> str:
    """Put the gist of a row into a few words."""
    words = [f"loss {row['loss']:.3f}"]
    if "nsp_accuracy" in row:
        words.append(f"next sentence {row['nsp_accuracy']:.1%}")
    return "  ".join([*words, f"{row['tokens_per_s']:,.0f} tokens/s"])


def _mean(values: list[torch.Tensor]) -> float:
    return float(torch.stack(values).mean())
