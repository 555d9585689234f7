"""Folders of fairseq-preprocess as data: classes or numbers, with fairseq's own names of labels."""

from pathlib import Path

import numpy as np

from unmask.core.errors import UserError
from unmask.finetune.config import EvaluateConfig, FinetuneConfig
from unmask.finetune.examples import Examples
from unmask.finetune.fairseq_data import folder
from unmask.finetune.glue import tasks as glue_tasks
from unmask.finetune.glue.heads import output_of_label
from unmask.finetune.known import Known
from unmask.finetune.losses import OneClass, OneNumber
from unmask.finetune.sentences.judges import ClassJudge, NumberJudge
from unmask.finetune.sentences.tables import NUMBER
from unmask.finetune.task import Head, Split, Task
from unmask.finetune.task_names import GLUE
from unmask.model.heads import SequenceClassifier
from unmask.tokenizer.tokenizer import Tokenizer

TRAIN, VALID = "train", "valid"
CLASS_METRICS, NUMBER_METRICS = ("accuracy", "macro_f1", "mcc"), ("pearson", "spearmanr")


def files(config: FinetuneConfig) -> list[Path]:
    """All files of the folder: whatever changes in it makes other data."""
    return sorted(path for path in config.data.rglob("*") if path.is_file())


def learnt(config: FinetuneConfig, tokenizer: Tokenizer, max_length: int) -> Task:
    """Read train, and valid as dev."""
    if config.class_weights != "none":
        raise UserError(
            f"--class-weights {config.class_weights}: not for folders of fairseq-preprocess",
            "give the text as a table",
        )
    if not folder.has_classes(config.data):
        return _numbers(config, tokenizer, max_length)
    train, dev = (
        folder.read_classes(config.data, split, tokenizer, max_length=max_length)
        for split in (TRAIN, VALID)
    )
    names, metrics = _names(config.task, train.labels.names), _metrics(config.task)
    judge = ClassJudge(
        dev.labels.label_N, names, tuple(range(len(names))), metrics or CLASS_METRICS
    )
    return Task(
        head=Head(SequenceClassifier, names, "single_label_classification"),
        loss=OneClass(),
        metrics=judge.metrics,
        metric=judge.metrics[0],
        train=Examples(train.sequences, train.labels.label_N),
        dev=Split("", Examples(dev.sequences, dev.labels.label_N), judge),
        facts={},
    )


def judged(
    config: EvaluateConfig, known: Known, tokenizer: Tokenizer, max_length: int
) -> list[Split]:
    """Read a split to score a model on."""
    known.require(SequenceClassifier, "a folder of fairseq-preprocess")
    split = VALID if config.split in (None, "dev") else config.split
    metrics = _metrics(config.task or "table")
    if not folder.has_classes(config.data):
        rated = folder.read_numbers(config.data, split, tokenizer, max_length=max_length)
        number_N = rated.number_N.astype(np.float32)
        judge = NumberJudge(number_N, metrics or NUMBER_METRICS)
        return [Split("", Examples(rated.sequences, number_N), judge)]
    found = folder.read_classes(config.data, split, tokenizer, max_length=max_length)
    names = _names(config.task or "table", found.labels.names)
    outputs = _outputs(config.task or "table", names, known.labels)
    class_judge = ClassJudge(found.labels.label_N, names, outputs, metrics or CLASS_METRICS)
    return [Split("", Examples(found.sequences, found.labels.label_N), class_judge)]


def _numbers(config: FinetuneConfig, tokenizer: Tokenizer, max_length: int) -> Task:
    train, dev = (
        folder.read_numbers(config.data, split, tokenizer, max_length=max_length)
        for split in (TRAIN, VALID)
    )
    gold_N = dev.number_N.astype(np.float32)
    judge = NumberJudge(gold_N, _metrics(config.task) or NUMBER_METRICS)
    return Task(
        head=Head(SequenceClassifier, NUMBER, "regression"),
        loss=OneNumber(),
        metrics=judge.metrics,
        metric=judge.metrics[0],
        train=Examples(train.sequences, train.number_N.astype(np.float32)),
        dev=Split("", Examples(dev.sequences, gold_N), judge),
        facts={"target": "number"},
    )


def _names(task: str, found: tuple[str, ...]) -> tuple[str, ...]:
    """What fairseq's labels are called: GLUE's files have numbers for names."""
    if task not in GLUE:
        return found
    glue = glue_tasks.task(task)
    known = dict(zip(glue.written, glue.labels, strict=True))
    if not set(found) <= set(known):
        raise UserError(
            f"the labels {', '.join(found)} are not those of {task}",
            f"{', '.join(known)} are; give the folder's own --task",
        )
    return tuple(known[name] for name in found)


def _outputs(task: str, names: tuple[str, ...], labels: tuple[str, ...]) -> tuple[int, ...]:
    """Which output of the model stands for each of the folder's labels."""
    if task in GLUE:
        glue = glue_tasks.task(task)
        outputs = output_of_label(labels, glue)
        return tuple(outputs[glue.labels.index(name)] for name in names)
    if set(labels) != set(names):
        raise UserError(
            f"a head that does not fit the task: the model has {', '.join(labels[:8])}, the folder "
            f"{', '.join(names[:8])}",
            "give a model that was trained on this data",
        )
    return tuple(labels.index(name) for name in names)


def _metrics(task: str) -> tuple[str, ...]:
    return glue_tasks.task(task).metrics if task in GLUE else ()
