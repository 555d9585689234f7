"""A model and its loss in one `forward`, as what wraps a module wants it."""

import dataclasses
from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

import torch
from torch import Tensor, nn

from unmask.finetune.batches import Batch
from unmask.finetune.forward import FinetunedModel, logits
from unmask.finetune.losses import Loss
from unmask.train.config import Precision
from unmask.train.precision import autocast
from unmask.train.ranks import Ranks


class Sums(NamedTuple):
    """Sums over one micro-batch; they stay on the device."""

    loss: Tensor

    def stacked(self) -> Tensor:
        """The number in a tensor, without the way back to the weights."""
        return self.loss.detach().float()[None]


class Objective(nn.Module):
    """Gives the loss of a micro-batch."""

    def __init__(self, model: FinetunedModel, loss: Loss, precision: Precision) -> None:
        super().__init__()
        self.model = model
        self.loss = loss
        self.precision = precision

    def forward(self, batch: Batch) -> Sums:
        """Sum the losses of one micro-batch."""
        with autocast(self.precision, batch.targets.device):
            rows = logits(self.model, batch.inputs)
        return Sums(self.loss(rows.float(), batch.inputs, batch.targets))

    if TYPE_CHECKING:
        __call__ = forward


@dataclasses.dataclass(frozen=True, slots=True)
class Counts:
    """What the micro-batches of a step hold, over all processes."""

    numbers: Tensor
    """What the loss is a sum of, examples, tokens."""

    @classmethod
    def of(cls, batches: Sequence[Batch], loss: Loss, ranks: Ranks) -> "Counts":
        """Count, and add up over the processes."""
        here = [
            sum(loss.divisor(batch.targets.numpy()) for batch in batches),
            float(sum(batch.examples for batch in batches)),
            float(sum(batch.tokens for batch in batches)),
        ]
        return cls(ranks.sum(torch.tensor(here, dtype=torch.float64).to(ranks.device)))

    def mean_loss(self, sums: Sums) -> Tensor:
        """A micro-batch's share of the loss: the shares of a step add up to its mean."""
        return sums.loss / self._divisor

    def minimised(self, totals: Tensor) -> Tensor:
        """The mean loss of a whole step."""
        return totals[0] / self._divisor

    @property
    def _divisor(self) -> Tensor:
        # A step may hold no labelled token; then there is nothing to divide, either.
        return self.numbers[0].float().where(self.numbers[0] > 0, 1.0)
