"""GLUE's tasks: their files to examples and judges."""

import dataclasses
from pathlib import Path
from typing import Any, get_args

import numpy as np

from unmask.core.errors import UserError
from unmask.finetune.config import FinetuneConfig, JudgedConfig
from unmask.finetune.examples import Examples
from unmask.finetune.glue import files as glue_files
from unmask.finetune.glue import reading
from unmask.finetune.glue import tasks as glue_tasks
from unmask.finetune.glue.heads import output_of_label, scale_of_number
from unmask.finetune.known import Known
from unmask.finetune.losses import OneNumber
from unmask.finetune.sentences.judges import ClassJudge, NumberJudge
from unmask.finetune.sentences.tables import NUMBER, class_loss
from unmask.finetune.sentences.texts import encoded
from unmask.finetune.table import Row
from unmask.finetune.table.checks import require_classes
from unmask.finetune.table.labels import class_numbers
from unmask.finetune.task import Head, Judge, Split, Task
from unmask.finetune.task_names import LabelOrder
from unmask.model.heads import SequenceClassifier
from unmask.tokenizer.tokenizer import Tokenizer


def files(config: FinetuneConfig) -> list[Path]:
    """The files that are read: of MNLI the matched dev set chooses, as in the paper."""
    task = glue_tasks.task(config.task)
    (train,) = glue_files.find(config.data, task, "train").values()
    dev, *_ = glue_files.find(config.data, task, "dev").values()
    return [train, dev]


def learnt(config: FinetuneConfig, tokenizer: Tokenizer, max_length: int) -> Task:
    """Read train and dev."""
    reader = _Reader(glue_tasks.task(config.task), tokenizer, max_length)
    train_path, dev_path = files(config)
    rows, labels = reader.rows(train_path), reader.task.labels
    if labels:
        require_classes(rows, train_path)
    return Task(
        head=Head(
            SequenceClassifier,
            labels or NUMBER,
            "single_label_classification" if labels else "regression",
        ),
        loss=class_loss(config, rows, labels) if labels else OneNumber(),
        metrics=reader.task.metrics,
        metric=reader.task.metrics[0],
        train=reader.examples(rows),
        dev=reader.split("", dev_path, labels or NUMBER),
        facts={"pairs": reader.task.pair is not None},
    )


def judged(
    config: JudgedConfig, known: Known, tokenizer: Tokenizer, max_length: int
) -> list[Split]:
    """Read what a model is scored on: a file, or all those of a folder's split."""
    assert config.task is not None
    reader = _Reader(glue_tasks.task(config.task), tokenizer, max_length, config.order)
    known.require(SequenceClassifier, reader.task.name)
    if config.data.is_file():
        return [reader.split("", config.data, known.labels)]
    split = config.split or "dev"
    if split not in get_args(glue_files.Split):
        raise UserError(f"--split {split}: GLUE has none such", "train or dev")
    found = glue_files.find(config.data, reader.task, split)  # type: ignore[arg-type]
    return [
        reader.split(part.partition("_")[2], path, known.labels) for part, path in found.items()
    ]


@dataclasses.dataclass(frozen=True, slots=True)
class _Reader:
    """Reads the files of one task for one model."""

    task: glue_tasks.Task
    tokenizer: Tokenizer
    max_length: int
    order: LabelOrder | None = None

    def rows(self, path: Path) -> list[Row[Any]]:
        if self.task.labels:
            return reading.read_classes(path, self.task)
        return reading.read_numbers(path, self.task)

    def examples(self, rows: list[Row[Any]]) -> Examples:
        if self.task.labels:
            right: Any = class_numbers(rows, self.task.labels)
        else:
            right = np.array([row.label for row in rows], np.float32)
        return Examples(encoded(rows, self.tokenizer, self.max_length), right)

    def split(self, name: str, path: Path, labels: tuple[str, ...]) -> Split:
        outputs = output_of_label(labels, self.task, self.order)
        examples = self.examples(self.rows(path))
        return Split(name, examples, self._judge(examples, outputs))

    def _judge(self, examples: Examples, outputs: tuple[int, ...]) -> Judge:
        if self.task.labels:
            return ClassJudge(examples.targets, self.task.labels, outputs, self.task.metrics)
        factor = scale_of_number(self.task, self.order)
        return NumberJudge(examples.targets, self.task.metrics, factor)
