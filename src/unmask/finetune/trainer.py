"""Fine-tuning epoch by epoch, keeping the best one."""

import dataclasses
import math

import numpy as np
import torch
from torch.nn import functional as F

from unmask.core.hashing import stream
from unmask.core.progress import Bar, bar
from unmask.core.runs import Run
from unmask.finetune import metrics
from unmask.finetune.batches import epoch_batches
from unmask.finetune.config import FinetuneConfig
from unmask.finetune.examples import Examples, logits, to_tensors
from unmask.model.heads import SequenceClassifier
from unmask.tokenizer.batch import pad
from unmask.tokens.format import Ints
from unmask.train.config import GuardConfig, Precision
from unmask.train.guard import Guard
from unmask.train.optimizer import adamw
from unmask.train.precision import autocast
from unmask.train.schedule import warmup_linear
from unmask.train.step import descend, require_finite


@dataclasses.dataclass(frozen=True, slots=True)
class Best:
    """The epoch that scored best on dev."""

    epoch: int
    scores: dict[str, float]
    weights: dict[str, torch.Tensor]


@dataclasses.dataclass(slots=True)
class Trainer:
    """A classifier in training."""

    config: FinetuneConfig
    model: SequenceClassifier
    pad_id: int
    precision: Precision
    train: Examples
    dev: Examples
    guard: Guard = dataclasses.field(init=False)
    steps_done: int = 0

    def __post_init__(self) -> None:
        device = next(self.model.parameters()).device
        self.guard = Guard(GuardConfig(spike=None), device)

    def fit(self, run: Run) -> Best:
        """Train all epochs and score each on dev; leave the model as it was at the best one."""
        optimizer = adamw(self.model, self.config.optim)
        best: Best | None = None
        with bar("finetune", self.steps) as progress:
            for epoch in range(self.config.epochs):
                loss = self._epoch(epoch, optimizer, progress)
                scores = self.score(self.dev)
                run.log({"kind": "epoch", "epoch": epoch + 1, "train_loss": loss} | scores)
                progress.advance(0, f"epoch {epoch + 1}: dev {self._metric(scores)}")
                if best is None or scores[self.config.metric] > best.scores[self.config.metric]:
                    weights = {k: v.clone() for k, v in self.model.state_dict().items()}
                    best = Best(epoch + 1, scores, weights)
        assert best is not None
        self.model.load_state_dict(best.weights)
        return best

    @property
    def steps(self) -> int:
        """Updates in all."""
        return self.config.epochs * math.ceil(len(self.train.label_N) / self.config.batch)

    def score(self, examples: Examples) -> dict[str, float]:
        """Score the model as it is."""
        rows_NC = logits(self.model, examples.encodings, self.pad_id, self.precision)
        predicted = rows_NC.argmax(axis=1).tolist()
        return metrics.classification(examples.label_N.tolist(), predicted)

    def _epoch(self, epoch: int, optimizer: torch.optim.Optimizer, progress: Bar) -> float:
        """Train one epoch; return its mean loss."""
        self.model.train()
        lengths_N = np.array([len(encoding.ids) for encoding in self.train.encodings])
        losses = []
        for index_B in epoch_batches(lengths_N, self.config.batch, self.config.seed, epoch):
            losses.append(float(self._step(index_B, optimizer)))
            require_finite(losses[-1], self.steps_done)
            progress.advance()
        return sum(losses) / len(losses)

    def _step(self, index_B: Ints, optimizer: torch.optim.Optimizer) -> torch.Tensor:
        torch.manual_seed(stream("dropout", self.config.seed, self.steps_done))
        warmup = round(self.config.warmup_share * self.steps)
        factor = warmup_linear(self.steps_done, warmup=warmup, total=self.steps)
        self.steps_done += 1
        optimizer.zero_grad(set_to_none=True)
        loss = self._loss(index_B)
        loss.backward()  # type: ignore[no-untyped-call]
        descend(
            self.model,
            optimizer,
            lr=self.config.optim.peak_lr * factor,
            clip_norm=self.config.optim.clip_norm,
            loss=loss.detach(),
            guard=self.guard,
        )
        return loss.detach()

    def _loss(self, index_B: Ints) -> torch.Tensor:
        device = next(self.model.parameters()).device
        batch = pad([self.train.encodings[index] for index in index_B], self.pad_id)
        label_B = torch.from_numpy(self.train.label_N[index_B]).to(device)
        with autocast(self.precision, device):
            logits_BC = self.model(*to_tensors(batch, device))
        return F.cross_entropy(logits_BC.float(), label_B)

    def _metric(self, scores: dict[str, float]) -> str:
        return f"{self.config.metric} {scores[self.config.metric]:.3f}"
