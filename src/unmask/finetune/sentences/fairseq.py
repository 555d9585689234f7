"""Folders of fairseq-preprocess as data: classes or numbers, with fairseq's own names of labels.

Legend: N examples, C classes.
"""

from pathlib import Path

import numpy as np

from unmask.core.errors import UserError
from unmask.finetune.config import FinetuneConfig, JudgedConfig
from unmask.finetune.data_config import ColumnsConfig
from unmask.finetune.examples import Examples
from unmask.finetune.fairseq_data import folder
from unmask.finetune.fairseq_data.labels import Labels
from unmask.finetune.glue import tasks as glue_tasks
from unmask.finetune.glue.heads import output_of_label
from unmask.finetune.known import Known
from unmask.finetune.losses import OneClass, OneNumber
from unmask.finetune.sentences.judges import ClassJudge, NumberJudge
from unmask.finetune.sentences.tables import NUMBER
from unmask.finetune.task import Head, Split, Task
from unmask.finetune.task_names import GLUE, LabelOrder
from unmask.model.heads import SequenceClassifier
from unmask.tokenizer.tokenizer import Tokenizer

TRAIN, VALID = "train", "valid"
CLASS_METRICS, NUMBER_METRICS = ("accuracy", "macro_f1", "mcc"), ("pearson", "spearmanr")


def files(config: FinetuneConfig) -> list[Path]:
    """All files of the folder: whatever changes in it makes other data."""
    return sorted(path for path in config.data.rglob("*") if path.is_file())


def learnt(config: FinetuneConfig, tokenizer: Tokenizer, max_length: int) -> Task:
    """Read train, and valid as dev."""
    for flag, given in (
        (f"--class-weights {config.class_weights}", config.class_weights != "none"),
        (f"--folds {config.folds}", config.folds > 1),
        ("--columns", config.columns != ColumnsConfig()),
    ):
        if given:
            raise _unread(flag)
    if not _has_classes(config.data, config.task):
        return _numbers(config, tokenizer, max_length)
    train, dev = (
        folder.read_classes(config.data, split, tokenizer, max_length=max_length)
        for split in (TRAIN, VALID)
    )
    names = _names(config.task, train.labels.names)
    judge = _class_judge(config.task, dev.labels, names)
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
    config: JudgedConfig, known: Known, tokenizer: Tokenizer, max_length: int
) -> list[Split]:
    """Read a split to score a model on."""
    known.require(SequenceClassifier, "a folder of fairseq-preprocess")
    if config.columns != ColumnsConfig():
        raise _unread("--columns")
    split = VALID if config.split in (None, "dev") else config.split
    task = config.task or "table"
    if not _has_classes(config.data, task):
        _refuse_classifier(known, config.data)
        rated = folder.read_numbers(config.data, split, tokenizer, max_length=max_length)
        number_N = rated.number_N.astype(np.float32)
        judge = NumberJudge(number_N, _metrics(task) or NUMBER_METRICS)
        return [Split("", Examples(rated.sequences, number_N), judge)]
    found = folder.read_classes(config.data, split, tokenizer, max_length=max_length)
    class_judge = _class_judge(task, found.labels, known.labels, config.order)
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


def _class_judge(
    task: str, found: Labels, model_labels: tuple[str, ...], order: LabelOrder | None = None
) -> ClassJudge:
    """Judge in the task's own order of labels: of two, F1 is that of the second."""
    names = _names(task, found.names)
    outputs = _outputs(task, names, model_labels, order)
    if task not in GLUE:
        return ClassJudge(found.label_N, names, outputs, CLASS_METRICS)
    glue = glue_tasks.task(task)
    number_C = np.array([glue.labels.index(name) for name in names])
    in_order = tuple(outputs[names.index(name)] for name in glue.labels)
    return ClassJudge(number_C[found.label_N], glue.labels, in_order, glue.metrics)


def _names(task: str, found: tuple[str, ...]) -> tuple[str, ...]:
    """What fairseq's labels are called: GLUE's files have numbers for names."""
    if task not in GLUE:
        return found
    glue = glue_tasks.task(task)
    known = dict(zip(glue.written, glue.labels, strict=True))
    if set(found) != set(known):
        raise UserError(
            f"the labels {', '.join(found)} are not those of {task}",
            f"{', '.join(known)} are; give the folder's own --task",
        )
    return tuple(known[name] for name in found)


def _outputs(
    task: str, names: tuple[str, ...], labels: tuple[str, ...], order: LabelOrder | None
) -> tuple[int, ...]:
    """Which output of the model stands for each of the folder's labels.

    fairseq's order of outputs without names is that of the folder it trained on: UserError for a
    task of GLUE where that cannot have been this folder.
    """
    as_here = tuple(range(len(names)))
    unnamed = order == "fairseq" and labels == tuple(f"LABEL_{number}" for number in as_here)
    if task not in GLUE:
        return as_here if unnamed else _by_name(names, labels)
    glue = glue_tasks.task(task)
    outputs = output_of_label(labels, glue, order)
    found = tuple(outputs[glue.labels.index(name)] for name in names)
    if unnamed and found != as_here:
        raise UserError(
            f"the folder's order of labels, {', '.join(names)}, is not that of fairseq's {task}",
            "unmask convert --labels names the outputs, in the order of what the model learnt from",
        )
    return found


def _by_name(names: tuple[str, ...], labels: tuple[str, ...]) -> tuple[int, ...]:
    if set(labels) != set(names):
        raise UserError(
            f"a head that does not fit the task: the model has {', '.join(labels[:8])}, the folder "
            f"{', '.join(names[:8])}",
            "give a model that was trained on this data, or --order fairseq for one that fairseq "
            "trained on it and whose outputs are LABEL_0, LABEL_1...",
        )
    return tuple(labels.index(name) for name in names)


def _has_classes(data: Path, task: str) -> bool:
    """Tell classes from numbers; UserError if the task is of the other kind."""
    found = folder.has_classes(data)
    if task in GLUE and found != bool(glue_tasks.task(task).labels):
        what = ("classes", "a number") if found else ("numbers, without label/dict.txt", "classes")
        raise UserError(
            f"{data}: is labelled with {what[0]}, and --task {task} tells {what[1]}",
            "give the folder's own --task, or make the folder again",
        )
    return found


def _metrics(task: str) -> tuple[str, ...]:
    return glue_tasks.task(task).metrics if task in GLUE else ()


def _refuse_classifier(known: Known, data: Path) -> None:
    if known.problem != "regression":
        raise UserError(
            f"a head that does not fit the task: {data} is labelled with numbers, {known.folder} "
            f"tells {', '.join(known.labels[:8])}",
            "give a model that was trained on numbers",
        )


def _unread(flag: str) -> UserError:
    """What a folder of fairseq has no rows or columns for."""
    return UserError(
        f"{flag}: not for folders of fairseq-preprocess",
        "leave it out, or give the text as a table",
    )
