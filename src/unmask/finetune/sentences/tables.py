"""Any table as a task: a class, several or a number for a text or a pair."""

import dataclasses
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from unmask.core.errors import UserError
from unmask.finetune import table
from unmask.finetune.config import FinetuneConfig, JudgedConfig
from unmask.finetune.data_config import ColumnsConfig
from unmask.finetune.examples import Examples
from unmask.finetune.known import Known
from unmask.finetune.losses import Loss, OneClass, OneNumber, SeveralClasses
from unmask.finetune.sentences.judges import ClassJudge, NumberJudge, SeveralJudge
from unmask.finetune.sentences.texts import encoded
from unmask.finetune.table import Row
from unmask.finetune.table.checks import require_classes, require_labels, require_spread
from unmask.finetune.table.folds import class_folds, number_folds, parts
from unmask.finetune.table.labels import (
    balanced_weights,
    class_numbers,
    indicators,
    label_names,
)
from unmask.finetune.task import Head, Judge, Split, Task
from unmask.model.heads import SequenceClassifier
from unmask.model.problem import Problem
from unmask.tokenizer.tokenizer import Tokenizer

NUMBER = ("score",)
"""The one output of a model that tells a number."""
PROBLEMS: dict[str, Problem] = {
    "class": "single_label_classification",
    "several": "multi_label_classification",
    "number": "regression",
}
TARGETS = {problem: target for target, problem in PROBLEMS.items()}


def files(config: FinetuneConfig) -> list[Path]:
    """The tables that are read."""
    splits = ("train",) if config.folds > 1 else ("train", "dev")
    return [table.find(config.data, split) for split in splits]


def learnt(config: FinetuneConfig, tokenizer: Tokenizer, max_length: int) -> Task:
    """Read train and dev, or one fold of train as dev."""
    paths = files(config)
    train, dev = _split(config, [_rows(path, config.columns) for path in paths])
    labels = _labels(config.columns, train, paths[0])
    head = Head(SequenceClassifier, labels, PROBLEMS[config.columns.target])
    metrics = _metrics(config.columns, labels)
    judge = _judge(config.columns, dev, labels)
    return Task(
        head=head,
        loss=_loss(config, train, labels),
        metrics=metrics,
        metric=metrics[0],
        train=Examples(
            encoded(train, tokenizer, max_length), targets(config.columns, train, labels)
        ),
        dev=Split(
            "",
            Examples(encoded(dev, tokenizer, max_length), targets(config.columns, dev, labels)),
            judge,
        ),
        facts={"target": config.columns.target, "pairs": config.columns.pair is not None},
    )


def judged(
    config: JudgedConfig, known: Known, tokenizer: Tokenizer, max_length: int
) -> list[Split]:
    """Read a table to score a model with these labels on."""
    known.require(SequenceClassifier, "a table")
    target = known.facts.get("target")
    columns = config.columns
    if target and columns.target == "class":  # what the model tells need not be said again
        columns = dataclasses.replace(columns, target=target)
    _refuse_other_head(known, columns)
    data, labels = config.data, known.labels
    rows = _rows(table.find(data, config.split or "dev") if data.is_dir() else data, columns)
    examples = Examples(encoded(rows, tokenizer, max_length), targets(columns, rows, labels))
    return [Split("", examples, _judge(columns, rows, labels))]


def targets(columns: ColumnsConfig, rows: list[Row[Any]], labels: tuple[str, ...]) -> Any:  # noqa: ANN401
    """What is right for each row, as its loss and its judge want it."""
    match columns.target:
        case "class":
            return class_numbers(rows, labels)
        case "several":
            return indicators(rows, labels)
        case "number":
            return np.array([row.label for row in rows], np.float32)


def _rows(path: Path, columns: ColumnsConfig) -> list[Row[Any]]:
    match columns.target:
        case "class":
            return table.read(path, columns)
        case "several":
            return table.read_several(path, columns, columns.separator)
        case "number":
            return table.read_numbers(path, columns)


def _split(
    config: FinetuneConfig, tables: Sequence[list[Row[Any]]]
) -> tuple[list[Row[Any]], list[Row[Any]]]:
    if config.folds == 1:
        train, dev = tables
        return train, dev
    assert config.fold is not None
    (rows,) = tables
    return parts(rows, _folds(config, rows), config.fold)


def _folds(config: FinetuneConfig, rows: list[Row[Any]]) -> npt.NDArray[np.int64]:
    labels = [row.label for row in rows]
    match config.columns.target:
        case "class":
            return class_folds(labels, config.folds, config.seed)
        case "number":
            return number_folds(labels, config.folds, config.seed)
        case "several":
            return number_folds([len(label) for label in labels], config.folds, config.seed)


def _labels(columns: ColumnsConfig, rows: list[Row[Any]], path: Path) -> tuple[str, ...]:
    match columns.target:
        case "class":
            require_classes(rows, path)
            return label_names(row.label for row in rows)
        case "several":
            require_labels(rows, path)
            return label_names(label for row in rows for label in row.label)
        case "number":
            require_spread(rows, path)
            return NUMBER


def _loss(config: FinetuneConfig, rows: list[Row[Any]], labels: tuple[str, ...]) -> Loss:
    match config.columns.target:
        case "several":
            return SeveralClasses()
        case "number":
            return OneNumber()
        case "class":
            return class_loss(config, rows, labels)


def class_loss(config: FinetuneConfig, rows: list[Row[str]], labels: tuple[str, ...]) -> OneClass:
    """Cross entropy, weighted if that is wanted."""
    if config.class_weights == "none":
        return OneClass()
    return OneClass(tuple(balanced_weights(rows, labels).tolist()))


def _judge(columns: ColumnsConfig, rows: list[Row[Any]], labels: tuple[str, ...]) -> Judge:
    right = targets(columns, rows, labels)
    match columns.target:
        case "class":
            metrics = _metrics(columns, labels)
            return ClassJudge(right, labels, tuple(range(len(labels))), metrics)
        case "several":
            return SeveralJudge(right, labels)
        case "number":
            return NumberJudge(right)


def _metrics(columns: ColumnsConfig, labels: tuple[str, ...]) -> tuple[str, ...]:
    """The scores of a table, the one to choose by first."""
    match columns.target:
        case "class":
            f1 = ("f1",) if len(labels) == 2 else ()
            return ("accuracy", *f1, "macro_f1", "mcc")
        case "several":
            return ("micro_f1", "macro_f1", "exact_match")
        case "number":
            return ("pearson", "spearmanr", "combined")


def _refuse_other_head(known: Known, columns: ColumnsConfig) -> None:
    """UserError for a head that tells something else than the table does."""
    if known.problem != PROBLEMS[columns.target]:
        raise UserError(
            f"a head that does not fit the task: {known.folder} does "
            f"{str(known.problem).replace('_', ' ')}, --columns.target is {columns.target}",
            f"give --columns.target {TARGETS[known.problem]}" if known.problem else "",
        )
