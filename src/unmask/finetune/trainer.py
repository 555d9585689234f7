"""The state of a fine-tuning and what can be done with it: step, score, save, restore."""

import dataclasses
from typing import Any

import torch
from torch import Tensor

from unmask.finetune.batches import Batch, Batches
from unmask.finetune.config import FinetuneConfig
from unmask.finetune.forward import FinetunedModel, Logits, all_logits
from unmask.finetune.inputs import Maker
from unmask.finetune.meter import Meter
from unmask.finetune.objective import Counts
from unmask.finetune.task import Task
from unmask.finetune.vocabulary import UsedRows, decay_of
from unmask.model.heads import build
from unmask.train import parallel, schedule
from unmask.train.ahead import Ahead
from unmask.train.config import Precision
from unmask.train.ranks import Ranks
from unmask.train.update import Update


@dataclasses.dataclass(slots=True)
class Trainer:
    """A model that learns a task; its place in the data is the number of steps done."""

    config: FinetuneConfig
    task: Task
    model: FinetunedModel
    update: Update
    batches: Batches
    maker: Maker
    precision: Precision
    total: int
    """Steps in all."""
    rows: UsedRows
    """What of the word embedding is trained."""
    meter: Meter = dataclasses.field(default_factory=Meter)
    steps_done: int = 0
    decayed: Tensor = dataclasses.field(init=False)
    """What the steps so far would have left of each row that is not trained."""
    ahead: Ahead[list[Batch]] = dataclasses.field(init=False)

    def __post_init__(self) -> None:
        self.ahead = Ahead(self._share)
        self.decayed = torch.ones((), dtype=torch.float64, device=self.ranks.device)

    @property
    def ranks(self) -> Ranks:
        """The processes that share the training."""
        return self.update.ranks

    def step(self) -> None:
        """Make one update."""
        with self.update.clock.part("data"):
            step = self.steps_done
            batches = self.ahead.take((step, 1), (step + 1, 1))
            counts = Counts.of(batches, self.task.loss, self.ranks)
            batches = [batch.to(self.ranks.device) for batch in batches]
        totals, norm = self.update.make(batches, counts, step=step, lr=self.lr(step))
        self.meter.add(totals, norm, counts)
        self.decayed = self.decayed * self._left()
        self.steps_done += 1

    def _left(self) -> Tensor:
        """What the last step leaves of a row without a gradient: all of it, if it was left out."""
        optimizer: Any = self.update.optimizer
        decay = decay_of(optimizer, self.model.encoder.embedding.word.weight)
        left: Tensor = torch.where(optimizer.found_inf > 0, 1.0, decay).double()
        return left

    def _share(self, step: int, _: int) -> list[Batch]:
        return self.batches.at(step, rank=self.ranks.rank, ranks=self.ranks.size)

    def lr(self, step: int) -> float:
        """The learning rate of a step, counted from 0."""
        config = self.config
        warmup = config.warmup_steps
        if warmup is None:
            warmup = round(config.warmup_share * self.total)
        return config.optim.peak_lr * schedule.warmup_linear(step, warmup=warmup, total=self.total)

    def dev_logits(self) -> Logits:
        """The model's answers on dev, as it is."""
        sequences = self.task.dev.examples.sequences
        return all_logits(self._undivided(), sequences, self.maker, self.precision, self.ranks)

    def _undivided(self) -> FinetunedModel:
        """The model in one piece: answering, processes have no step at which all gather a block."""
        if self.config.parallel.shard == "none":
            return self.model
        head = self.task.head
        with torch.device("meta"):
            model = build(head.kind, self.model.config, head.labels, head.problem)
        model.load_state_dict(parallel.whole(self.model), assign=True)
        return model.to(self.ranks.device)

    def state(self) -> dict[str, Any]:
        """Everything but weights and moments, as JSON holds it."""
        scale = self.update.scale
        return {
            "step": self.steps_done,
            "guard": self.update.guard.state(),
            "scale": None if scale is None else scale.state(),
            "meter": self.meter.state(),
            "decayed": float(self.decayed),
        }

    def restore(self, state: dict[str, Any]) -> None:
        """Stand where a saved state stood."""
        self.steps_done = state["step"]
        self.update.guard.restore(state["guard"])
        self.meter.restore(state["meter"], self.ranks.device)
        self.decayed.fill_(state["decayed"])
        if self.update.scale is not None:
            self.update.scale.restore(state["scale"])
