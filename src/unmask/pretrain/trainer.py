"""The state of a pretraining run and what can be done with it: step, evaluate, save, restore."""

import dataclasses

import torch

from unmask.core.hashing import stream
from unmask.pretrain.batches import Batches, MaskedBatch
from unmask.pretrain.config import PretrainConfig
from unmask.pretrain.evaluate import HeldOut, held_out
from unmask.pretrain.objective import Counts, PretrainModel, Sums, predict, summed
from unmask.train.config import Precision
from unmask.train.schedule import warmup_linear
from unmask.train.step import update


@dataclasses.dataclass(frozen=True, slots=True)
class Done:
    """What one step did; its losses are still on the device."""

    loss: torch.Tensor
    """Mean over masked tokens."""
    nsp_loss: torch.Tensor | None
    """Mean over pairs; None where the plan has none."""
    nsp_accuracy: torch.Tensor | None
    blocks: int
    tokens: int
    places: int
    """Tokens computed, padding included."""


@dataclasses.dataclass(slots=True)
class Trainer:
    """A model in training; `steps_done` is all there is to know of its place in the data."""

    config: PretrainConfig
    model: PretrainModel
    optimizer: torch.optim.Optimizer
    train: Batches
    valid: Batches | None
    """None when there are no held-out blocks."""
    precision: Precision
    device: torch.device
    steps_done: int = 0

    def step(self) -> Done:
        """Make one update."""
        self.model.train()
        # Dropout, too, is a function of the step alone: a resumed run draws what it would have.
        torch.manual_seed(stream("dropout", self.config.seed, self.steps_done))
        batches = list(self.train.step(self.steps_done))
        counts = Counts.of(batches)
        parts: list[Sums] = []

        def share_of_loss(batch: MaskedBatch) -> torch.Tensor:
            sums = summed(*predict(self.model, batch, self.precision), batch)
            parts.append(sums.detached())
            return counts.mean_loss(sums)

        update(
            self.model,
            self.optimizer,
            batches,
            share_of_loss,
            count=1,  # the shares add up to the means already
            lr=self.lr,
            clip_norm=self.config.optim.clip_norm,
        )
        self.steps_done += 1
        return _done(batches, counts, parts)

    @property
    def lr(self) -> float:
        """The learning rate of the step to come."""
        factor = warmup_linear(
            self.steps_done, warmup=self.config.warmup_steps, total=self.config.steps
        )
        return self.config.optim.peak_lr * factor

    def evaluate(self) -> HeldOut | None:
        """Score the held-out blocks; None when there are none."""
        if self.valid is None:
            return None
        return held_out(self.model, self.valid, precision=self.precision)


def _done(batches: list[MaskedBatch], counts: Counts, parts: list[Sums]) -> Done:
    loss = torch.stack([part.loss / counts.masked for part in parts]).sum()
    nsp_loss = nsp_accuracy = None
    if counts.pairs:
        nsp_loss = torch.stack([part.nsp_loss for part in parts]).sum() / counts.pairs
        nsp_accuracy = torch.stack([part.nsp_right for part in parts]).sum() / counts.pairs
    return Done(
        loss=loss,
        nsp_loss=nsp_loss,
        nsp_accuracy=nsp_accuracy,
        blocks=sum(len(batch.ids_BL) for batch in batches),
        tokens=sum(batch.tokens for batch in batches),
        places=sum(batch.ids_BL.numel() for batch in batches),
    )
