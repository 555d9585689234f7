"""One step of training, whatever is learnt: gradients of micro-batches, then one update."""

import dataclasses
from collections.abc import Sequence
from typing import Any, Protocol

import torch
from torch import Tensor, nn

from unmask.core.hashing import stream
from unmask.train import parallel
from unmask.train.clock import Clock
from unmask.train.config import OptimConfig, ParallelConfig
from unmask.train.guard import Guard
from unmask.train.precision import LossScale
from unmask.train.ranks import Ranks
from unmask.train.step import descend


class MicroBatch(Protocol):
    """What is computed at once."""

    @property
    def number(self) -> int:
        """Which of the step it is, counted over all processes."""


class Sums(Protocol):
    """What `objective(batch)` gives: sums over one micro-batch, on the device."""

    def stacked(self) -> Tensor:
        """All numbers in one tensor, without the way back to the weights."""


class Counts(Protocol):
    """What the sums of a step are divided by."""

    def mean_loss(self, sums: Any) -> Tensor:  # noqa: ANN401
        """A micro-batch's share of the loss: the shares of a step add up to its mean."""

    def minimised(self, totals: Tensor) -> Tensor:
        """The mean loss of a whole step, of its stacked sums."""


@dataclasses.dataclass(slots=True)
class Update:
    """Makes steps; the same for one process and for many, which share the micro-batches."""

    objective: nn.Module
    """Gives the Sums of a micro-batch; shared by the processes, and compiled, as it may be."""
    optimizer: torch.optim.Optimizer
    optim: OptimConfig
    parallel: ParallelConfig
    ranks: Ranks
    guard: Guard
    scale: LossScale | None
    """The loss scale of fp16."""
    clock: Clock
    seed: int

    def make(
        self, batches: Sequence[MicroBatch], counts: Counts, *, step: int, lr: float
    ) -> tuple[Tensor, Tensor]:
        """Make one update; the sums of all micro-batches of all processes, and the gradient norm.

        Dropout is a function of the place alone: a resumed run draws what it would have, and so do
        two processes instead of one.
        """
        self.objective.train()
        self.optimizer.zero_grad(set_to_none=True)
        totals: Tensor | None = None
        for index, batch in enumerate(batches):
            torch.manual_seed(stream("dropout", self.seed, step, batch.number))
            last = index == len(batches) - 1
            with parallel.accumulating(self.objective, self.parallel, last=last):
                stacked = self._backward(batch, counts)
            totals = stacked if totals is None else totals + stacked
        assert totals is not None
        with self.clock.part("communication"):
            totals = self.ranks.sum(totals)
        with self.clock.part("optimizer"):
            norm = descend(
                self.objective,
                self.optimizer,
                lr=lr,
                clip_norm=self.optim.clip_norm,
                loss=counts.minimised(totals),
                guard=self.guard,
                scale=self.scale,
            )
        return totals, norm

    def _backward(self, batch: MicroBatch, counts: Counts) -> Tensor:
        """Add the gradients of one micro-batch; return its sums."""
        with self.clock.part("forward"):
            sums: Sums = self.objective(batch)
            loss = counts.mean_loss(sums) * parallel.factor(self.ranks)
            if self.scale is not None:
                loss = loss * self.scale.value
        with self.clock.part("backward"):
            loss.backward()  # type: ignore[no-untyped-call]
        return sums.stacked()
