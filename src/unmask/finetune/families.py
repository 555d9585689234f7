"""Which family of tasks a name belongs to: what is read, learnt and scored."""

import dataclasses
from pathlib import Path
from typing import Protocol

from unmask.core.errors import UserError
from unmask.finetune.choice import family as choice
from unmask.finetune.config import FinetuneConfig, JudgedConfig, refuse_unread
from unmask.finetune.entities import family as entities
from unmask.finetune.fairseq_data import folder
from unmask.finetune.known import Known
from unmask.finetune.sentences import fairseq, glue, tables
from unmask.finetune.squad import family as squad
from unmask.finetune.task import Split, Task
from unmask.finetune.task_names import CHOICES, ENTITIES, GLUE, QUESTIONS
from unmask.model import weights
from unmask.tokenizer.tokenizer import Tokenizer

LENGTH, LENGTH_OF_QUESTIONS = 512, 384


class Family(Protocol):
    """A module that reads, encodes and judges some tasks."""

    def files(self, config: FinetuneConfig) -> list[Path]:
        """The files a fine-tuning reads."""

    def learnt(self, config: FinetuneConfig, tokenizer: Tokenizer, max_length: int) -> Task:
        """Train and dev."""

    def judged(
        self, config: JudgedConfig, known: Known, tokenizer: Tokenizer, max_length: int
    ) -> list[Split]:
        """What a model is scored on."""


def files(config: FinetuneConfig) -> list[Path]:
    """The files a fine-tuning reads; UserError where one is missing."""
    return _family(config.task, config.data).files(config)


def learnt(config: FinetuneConfig, tokenizer: Tokenizer) -> Task:
    """Read and encode a task; UserError for a metric it does not have."""
    length = _length(config.task, config.max_length, config.model)
    task = _family(config.task, config.data).learnt(config, tokenizer, length)
    task = dataclasses.replace(task, facts={"max_length": length} | task.facts)
    if config.metric is None:
        return task
    if config.metric not in task.metrics:
        raise UserError(
            f"--metric {config.metric}: --task {config.task} has no such score",
            f"one of {', '.join(task.metrics)}",
        )
    return dataclasses.replace(task, metric=config.metric)


def judged(config: JudgedConfig, known: Known, tokenizer: Tokenizer) -> list[Split]:
    """Read and encode what a model is scored on."""
    name = config.task or known.facts.get("task") or "table"
    wanted = config.max_length or known.facts.get("max_length")
    length = _length(name, wanted, config.model)
    config = dataclasses.replace(config, task=name)
    refuse_unread(config, name)
    if config.order is not None and name not in GLUE and not folder.is_fairseq(config.data):
        raise UserError(
            f"--order {config.order} with --task {name}: it is for GLUE and for folders of fairseq",
            "leave it out",
        )
    return _family(name, config.data).judged(config, known, tokenizer, length)


def _family(task: str, data: Path) -> Family:
    """The module that knows a task."""
    if task in QUESTIONS:
        return squad
    if task in CHOICES:
        return choice
    if task in ENTITIES:
        return entities
    if folder.is_fairseq(data):
        return fairseq
    return glue if task in GLUE else tables


def _length(task: str, wanted: int | None, model: Path) -> int:
    """Tokens of the longest sequence; UserError for more than the model reads."""
    most = weights.read_config(model).max_length
    if wanted is not None and wanted > most:
        raise UserError(
            f"--max-length {wanted}: {model} reads at most {most} tokens", f"give {most} or less"
        )
    return min(wanted or (LENGTH_OF_QUESTIONS if task in QUESTIONS else LENGTH), most)
