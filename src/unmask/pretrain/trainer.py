"""The state of a pretraining run and what can be done with it: step, evaluate, save, restore."""

import dataclasses
from typing import Any

import torch
from torch import nn

from unmask.pretrain.batches import Batches, MaskedBatch
from unmask.pretrain.config import STEPS, PretrainConfig
from unmask.pretrain.evaluate import HeldOut, held_out
from unmask.pretrain.meter import Meter
from unmask.pretrain.objective import Counts, PretrainModel
from unmask.train import schedule
from unmask.train.ahead import Ahead
from unmask.train.clock import Clock
from unmask.train.deadline import Deadline
from unmask.train.guard import Guard
from unmask.train.precision import LossScale
from unmask.train.ranks import Ranks
from unmask.train.update import Update


@dataclasses.dataclass(slots=True)
class Trainer:
    """A model in training, and its place in the data: `steps_done` and `consumed`."""

    config: PretrainConfig
    model: PretrainModel
    objective: nn.Module
    """The model and its loss, shared by the processes and compiled, as the config says."""
    optimizer: torch.optim.Optimizer
    train: Batches
    valid: Batches | None
    """None when there are no held-out blocks."""
    ranks: Ranks
    guard: Guard
    scale: LossScale | None
    """The loss scale of fp16."""
    deadline: Deadline | None
    """None where the number of steps is given."""
    clock: Clock
    meter: Meter
    update: Update = dataclasses.field(init=False)
    ahead: Ahead[list[MaskedBatch]] = dataclasses.field(init=False)
    steps_done: int = 0
    consumed: int = 0
    """Blocks read so far: the one integer that says where in the data the run stands."""
    total: int = 0
    """Steps in all, as far as is known."""

    def __post_init__(self) -> None:
        self.ahead = Ahead(self._share)
        self.update = Update(
            objective=self.objective,
            optimizer=self.optimizer,
            optim=self.config.optim,
            parallel=self.config.parallel,
            ranks=self.ranks,
            guard=self.guard,
            scale=self.scale,
            clock=self.clock,
            seed=self.config.seed,
        )
        # A deadline tells after the first step; until then the warm-up must not be over at once.
        self.total = self.config.steps or STEPS

    def step(self) -> None:
        """Make one update."""
        with self.clock.part("data"):
            batches = self._batches()
            counts = Counts.of(batches, self.ranks)
        totals, norm = self.update.make(
            batches, counts, step=self.steps_done, lr=self.lr(self.steps_done)
        )
        self.meter.add(counts.means(totals), norm, counts)
        self.consumed += self.blocks
        self.steps_done += 1

    @property
    def blocks(self) -> int:
        """Blocks of the step to come."""
        return self._blocks(self.steps_done)

    def _blocks(self, step: int) -> int:
        if self.config.batch_start is None:
            return self.train.blocks
        first, over = self.config.batch_start, self.config.batch_warmup_steps
        return schedule.growing(step, first=first, last=self.train.blocks, over=over)

    def _batches(self) -> list[MaskedBatch]:
        """This process's micro-batches of the step to come, and begin with those after it."""
        place = self.consumed, self.blocks
        after = self.consumed + self.blocks, self._blocks(self.steps_done + 1)
        return [batch.to(self.ranks.device) for batch in self.ahead.take(place, after)]

    def _share(self, consumed: int, count: int) -> list[MaskedBatch]:
        batches = self.train.after(consumed, count, rank=self.ranks.rank, ranks=self.ranks.size)
        if self.ranks.device.type == "cuda":
            return [batch.pinned() for batch in batches]
        return list(batches)

    @property
    def warmup(self) -> int:
        """Steps over which the learning rate rises."""
        if self.config.warmup_steps is not None:
            return self.config.warmup_steps
        return round(schedule.WARMUP_SHARE * self.total)

    def lr(self, step: int) -> float:
        """The learning rate of a step, counted from 0."""
        config = self.config.schedule
        factor = schedule.rate(step, warmup=self.warmup, total=self.total, config=config)
        return self.config.optim.peak_lr * factor

    def reckon(self) -> bool:
        """Estimate anew how many steps there will be; whether the time is given and it was due."""
        if self.deadline is None or not self.deadline.due(self.steps_done, self.config.log_every):
            return False
        self.total = self.ranks.told(self.deadline.estimate(self.steps_done))
        return True

    def evaluate(self) -> HeldOut | None:
        """Score the held-out blocks; None when there are none."""
        if self.valid is None:
            return None
        return held_out(self.objective, self.valid, self.ranks)

    def state(self) -> dict[str, Any]:
        """Everything but weights and moments, as JSON holds it."""
        return {
            "step": self.steps_done,
            "consumed": self.consumed,
            "total": self.total,
            "guard": self.guard.state(),
            "scale": None if self.scale is None else self.scale.state(),
            "deadline": None if self.deadline is None else self.deadline.state(),
            "meter": self.meter.state(),
        }

    def restore(self, state: dict[str, Any]) -> None:
        """Stand where a saved state stood."""
        self.steps_done, self.consumed = state["step"], state["consumed"]
        self.total = state["total"]
        self.guard.restore(state["guard"])
        self.meter.restore(state["meter"], self.ranks.device)
        if self.scale is not None:
            self.scale.restore(state["scale"])
        if self.deadline is not None:
            self.deadline.restore(state["deadline"], self.steps_done)

    def go_back(self, state: dict[str, Any]) -> None:
        """Stand where a saved state stood, but go on with the data that comes next.

        The time that went by is spent.
        """
        consumed, deadline = self.consumed, self.deadline
        spent = None if deadline is None else deadline.state()
        self.restore(state)
        self.consumed = consumed
        self.meter.restart()
        if deadline is not None and spent is not None:
            deadline.restore(spent, self.steps_done)
