"""GLUE's tasks: their files to examples and judges."""

from pathlib import Path
from typing import Any, get_args

import numpy as np

from unmask.core.errors import UserError
from unmask.finetune.config import EvaluateConfig, FinetuneConfig
from unmask.finetune.examples import Examples
from unmask.finetune.glue import files as glue_files
from unmask.finetune.glue import reading
from unmask.finetune.glue import tasks as glue_tasks
from unmask.finetune.glue.heads import output_of_label
from unmask.finetune.known import Known
from unmask.finetune.losses import OneNumber
from unmask.finetune.sentences.judges import ClassJudge, NumberJudge
from unmask.finetune.sentences.tables import NUMBER, class_loss
from unmask.finetune.sentences.texts import encoded
from unmask.finetune.table import Row
from unmask.finetune.table.checks import require_classes
from unmask.finetune.table.labels import class_numbers
from unmask.finetune.task import Head, Judge, Split, Task
from unmask.model.heads import SequenceClassifier
from unmask.tokenizer.tokenizer import Tokenizer

GlueTask = glue_tasks.Task


def files(config: FinetuneConfig) -> list[Path]:
    """The files that are read: of MNLI the matched dev set chooses, as in the paper."""
    task = glue_tasks.task(config.task)
    (train,) = glue_files.find(config.data, task, "train").values()
    dev, *_ = glue_files.find(config.data, task, "dev").values()
    return [train, dev]


def learnt(config: FinetuneConfig, tokenizer: Tokenizer, max_length: int) -> Task:
    """Read train and dev."""
    task = glue_tasks.task(config.task)
    train_path, dev_path = files(config)
    rows = _rows(train_path, task)
    if task.labels:
        require_classes(rows, train_path)
    return Task(
        head=Head(
            SequenceClassifier,
            task.labels or NUMBER,
            "single_label_classification" if task.labels else "regression",
        ),
        loss=class_loss(config, rows, task.labels) if task.labels else OneNumber(),
        metrics=task.metrics,
        metric=task.metrics[0],
        train=_examples(rows, task, tokenizer, max_length),
        dev=_split("", dev_path, task, task.labels or NUMBER, tokenizer, max_length),
        facts={},
    )


def judged(
    config: EvaluateConfig, known: Known, tokenizer: Tokenizer, max_length: int
) -> list[Split]:
    """Read what a model is scored on: a file, or all those of a folder's split."""
    assert config.task is not None
    task = glue_tasks.task(config.task)
    known.require(SequenceClassifier, task.name)
    if config.data.is_file():
        return [_split("", config.data, task, known.labels, tokenizer, max_length)]
    split = config.split or "dev"
    if split not in get_args(glue_files.Split):
        raise UserError(f"--split {split}: GLUE has none such", "train or dev")
    found = glue_files.find(config.data, task, split)  # type: ignore[arg-type]
    return [
        _split(part.partition("_")[2], path, task, known.labels, tokenizer, max_length)
        for part, path in found.items()
    ]


def _split(
    name: str,
    path: Path,
    task: GlueTask,
    labels: tuple[str, ...],
    tokenizer: Tokenizer,
    max_length: int,
) -> Split:
    rows = _rows(path, task)
    examples = _examples(rows, task, tokenizer, max_length)
    return Split(name, examples, _judge(examples, task, labels))


def _judge(examples: Examples, task: GlueTask, labels: tuple[str, ...]) -> Judge:
    outputs = output_of_label(labels, task)
    if not task.labels:
        return NumberJudge(examples.targets, task.metrics)
    return ClassJudge(examples.targets, task.labels, outputs, task.metrics)


def _examples(
    rows: list[Row[Any]], task: GlueTask, tokenizer: Tokenizer, max_length: int
) -> Examples:
    if task.labels:
        right: Any = class_numbers(rows, task.labels)
    else:
        right = np.array([row.label for row in rows], np.float32)
    return Examples(encoded(rows, tokenizer, max_length), right)


def _rows(path: Path, task: GlueTask) -> list[Row[Any]]:
    return reading.read_classes(path, task) if task.labels else reading.read_numbers(path, task)
