"""Which steps are left out: decided on the device, so that nobody waits for the answer."""

from typing import Any

import torch
from torch import Tensor

from unmask.train.config import GuardConfig

MEMORY = 0.99
"""Share of the running mean and variance of the loss that a step leaves as it was."""
SEEN_ENOUGH = 100
"""Steps after which the running numbers are trusted to tell a spike."""
FIELDS = ("mean", "variance", "taken", "streak", "longest_streak", "left_out")


class Guard:
    """Judges every step by its loss and gradient norm, and counts those that were left out."""

    def __init__(self, config: GuardConfig, device: torch.device) -> None:
        self.config = config
        self._numbers = torch.zeros(len(FIELDS), dtype=torch.float64, device=device)

    def judge(self, loss: Tensor, norm: Tensor) -> Tensor:
        """1.0 where the step must be left out, else 0.0; fused optimizers take it as `found_inf`.

        Left out is a step whose loss or gradient is no finite number, or whose loss lies far above
        its running mean.
        """
        loss = loss.double()
        mean, variance, taken, streak, longest, left_out = self._numbers.unbind()
        bad = ~(loss.isfinite() & norm.isfinite())
        if self.config.spike is not None:
            limit = mean + self.config.spike * variance.sqrt()
            bad |= (taken >= SEEN_ENOUGH) & (loss > limit)
        weight = torch.maximum(1 / (taken + 1), torch.full_like(taken, 1 - MEMORY))
        distance = torch.where(bad, 0.0, loss - mean)
        streak = torch.where(bad, streak + 1, 0.0)
        self._numbers = torch.stack(
            [
                mean + weight * distance,
                torch.where(bad, variance, (1 - weight) * (variance + weight * distance.square())),
                taken + ~bad,
                streak,
                torch.maximum(longest, streak),
                left_out + bad,
            ]
        )
        return bad.float()

    def report(self) -> tuple[int, int]:
        """How many steps were left out since the last report, and how many in a row at most."""
        longest, left_out = (int(number) for number in self._numbers[4:].tolist())
        self._numbers = torch.cat([self._numbers[:4], torch.zeros_like(self._numbers[4:])])
        return left_out, longest

    def state(self) -> dict[str, float]:
        """All it knows; floats survive JSON to the bit."""
        return dict(zip(FIELDS, self._numbers.tolist(), strict=True))

    def restore(self, state: dict[str, Any]) -> None:
        """Go on from a saved state."""
        numbers = [state[name] for name in FIELDS]
        self._numbers = torch.tensor(numbers, dtype=torch.float64, device=self._numbers.device)
