"""The rows of the word embedding that a task's texts look up; a training holds no others.

A row that is never looked up has no gradient and no moments: AdamW only decays it. So the others
stay aside, and at the end they are decayed by the product of what each step would have done. With
RoBERTa's vocabulary and a task of ten thousand different tokens, that spares a quarter of a base
model: its gradients, moments and memory.

V vocabulary, K rows that are used, D width.
"""

import dataclasses
from collections.abc import Iterable

import numpy as np
import torch
from torch import Tensor

from unmask.finetune.examples import Examples
from unmask.finetune.forward import FinetunedModel
from unmask.finetune.inputs import Ints
from unmask.finetune.sequences import Sequences
from unmask.finetune.task import Head, Task
from unmask.model.config import ModelConfig
from unmask.model.heads import build

WORD = "encoder.embedding.word.weight"


@dataclasses.dataclass(frozen=True, slots=True)
class UsedRows:
    """Ids renumbered without gaps, in their order."""

    ids_K: Ints
    config: ModelConfig
    """Of the whole model."""
    unused_VD: Tensor
    """The word embedding before the training."""

    @classmethod
    def of(cls, task: Task, model: FinetunedModel) -> "UsedRows":
        """Find the rows of train and dev; padding keeps its number, as positions count from it."""
        config = model.config
        used_V = np.zeros(config.vocabulary, np.bool_)
        used_V[: config.pad_id + 1] = True
        used_V[[id_ for id_ in (config.bos_id, config.eos_id) if id_ is not None]] = True
        for examples in (task.train, task.dev.examples):
            used_V[examples.sequences.ids_T] = True
        whole_VD = model.encoder.embedding.word.weight.detach().cpu().clone()
        return cls(np.flatnonzero(used_V), config, whole_VD)

    def task(self, task: Task) -> Task:
        """The same task with the new numbers."""
        dev = dataclasses.replace(task.dev, examples=self._renumbered(task.dev.examples))
        return dataclasses.replace(task, train=self._renumbered(task.train), dev=dev)

    def narrowed(self, model: FinetunedModel, head: Head) -> FinetunedModel:
        """The same model with the used rows alone."""
        bos, eos = (self._new(id_) for id_ in (self.config.bos_id, self.config.eos_id))
        sizes = dataclasses.replace(self.config, vocabulary=len(self.ids_K), bos_id=bos, eos_id=eos)
        return _with(model.state_dict() | {WORD: self.unused_VD[self.ids_K]}, sizes, head)

    def widened(self, state: dict[str, Tensor], decayed: float, head: Head) -> FinetunedModel:
        """The whole model again: the used rows as they are, the others decayed by a factor."""
        whole_VD = self.unused_VD * decayed
        whole_VD[self.ids_K] = state[WORD]
        return _with(state | {WORD: whole_VD}, self.config, head)

    def _renumbered(self, examples: Examples) -> Examples:
        new_V = np.zeros(self.config.vocabulary, np.int32)
        new_V[self.ids_K] = np.arange(len(self.ids_K))
        old = examples.sequences
        return dataclasses.replace(
            examples, sequences=Sequences(new_V[old.ids_T], old.types_T, old.starts_N1)
        )

    def _new(self, id_: int | None) -> int | None:
        return None if id_ is None else int(np.searchsorted(self.ids_K, id_))


def _with(state: dict[str, Tensor], config: ModelConfig, head: Head) -> FinetunedModel:
    model = build(head.kind, config, head.labels, head.problem)
    model.load_state_dict(state)
    return model


def decay_of(optimizer: torch.optim.Optimizer, weight: Tensor) -> float:
    """What one step multiplies a parameter without a gradient by; 1 where it is not trained."""
    groups: Iterable[dict[str, object]] = optimizer.param_groups
    for group in groups:
        if any(one is weight for one in group["params"]):  # type: ignore[attr-defined]
            return 1.0 - float(group["lr"]) * float(group["weight_decay"])  # type: ignore[arg-type]
    return 1.0
