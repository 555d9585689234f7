"""The state of a pretraining run and what can be done with it: step, evaluate, save, restore."""

import dataclasses

import torch
from torch.nn import functional as F

from unmask.core.hashing import stream
from unmask.model.heads import MaskedLM
from unmask.pretrain.batches import Batches, MaskedBatch
from unmask.pretrain.config import PretrainConfig
from unmask.pretrain.evaluate import HeldOut, held_out
from unmask.train.config import Precision
from unmask.train.precision import autocast
from unmask.train.schedule import warmup_linear
from unmask.train.step import update


@dataclasses.dataclass(slots=True)
class Trainer:
    """A model in training; `steps_done` is all there is to know of its place in the data."""

    config: PretrainConfig
    model: MaskedLM
    optimizer: torch.optim.Optimizer
    train: Batches
    valid: Batches | None
    """None when the corpus has no held-out documents."""
    precision: Precision
    device: torch.device
    steps_done: int = 0

    def step(self) -> tuple[torch.Tensor, int]:
        """Make one update; return the mean loss (on the device) and the tokens read."""
        self.model.train()
        # Dropout, too, is a function of the step alone: a resumed run draws what it would have.
        torch.manual_seed(stream("dropout", self.config.seed, self.steps_done))
        first = self.steps_done * self.config.batch
        batches = [
            self.train.at(first + offset, self.config.micro_batch)
            for offset in range(0, self.config.batch, self.config.micro_batch)
        ]
        loss = update(
            self.model,
            self.optimizer,
            batches,
            self._summed_loss,
            count=sum(len(batch.targets_M) for batch in batches),
            lr=self.lr,
            clip_norm=self.config.optim.clip_norm,
        )
        self.steps_done += 1
        return loss, sum(batch.tokens for batch in batches)

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
        return held_out(
            self.model,
            self.valid,
            blocks=min(self.config.valid_blocks, self.valid.plan.count),
            micro_batch=self.config.micro_batch,
            precision=self.precision,
        )

    def _summed_loss(self, batch: MaskedBatch) -> torch.Tensor:
        with autocast(self.precision, self.device):
            logits_MV = self.model(batch.ids_BL, batch.mask_BL, positions_M=batch.positions_M)
        return F.cross_entropy(logits_MV.float(), batch.targets_M, reduction="sum")
