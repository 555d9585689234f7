"""What a family of tasks gives the training: examples, how they are learnt, how they are scored.

Legend: N sequences or tokens, C classes.
"""

import dataclasses
from pathlib import Path
from typing import Any, Protocol

from unmask.finetune.examples import Examples
from unmask.finetune.forward import FinetunedModel, Logits
from unmask.finetune.losses import Loss
from unmask.model.problem import Problem

Scores = dict[str, float]
Facts = dict[str, Any]


class Judge(Protocol):
    """Knows what is right for a set of examples, and scores a model's logits by it."""

    def scores(self, logits: Logits) -> Scores:
        """The task's scores, named as in its papers."""

    def details(self, logits: Logits) -> Facts:
        """What a report shows beyond the scores, as JSON holds it."""

    def settled(self, logits: Logits) -> Facts:
        """What is chosen on dev and kept with the model, such as a threshold; mostly nothing."""

    def stuck(self, logits: Logits) -> bool:
        """Whether the model gives one answer to everything, and that is not right."""

    def write(self, logits: Logits, folder: Path) -> None:
        """Write the predictions in the task's official form."""


@dataclasses.dataclass(frozen=True, slots=True)
class Split:
    """Labelled data to score a model on."""

    name: str
    """Empty for a task's only one."""
    examples: Examples
    judge: Judge


@dataclasses.dataclass(frozen=True, slots=True)
class Head:
    """The model a task needs."""

    kind: type[FinetunedModel]
    labels: tuple[str, ...] = ()
    problem: Problem | None = None
    """What a sequence classifier tells."""


@dataclasses.dataclass(frozen=True, slots=True)
class Task:
    """A task, read and encoded."""

    head: Head
    loss: Loss
    metrics: tuple[str, ...]
    """Its scores by which the better of two models may be told: more is better."""
    metric: str
    """The one that is used; by default that of the paper."""
    train: Examples
    dev: Split
    facts: Facts
    """What `predict` and `evaluate` need to know of it."""
