"""Which output of a model stands for which label of a task.

Models name their labels, more or less; where a name says nothing, as LABEL_0, only whoever trained
the model knows what its outputs mean.

Legend: C labels of the task.
"""

import re
from collections.abc import Sequence

from unmask.core.errors import UserError
from unmask.finetune.glue.tasks import Task
from unmask.finetune.task_names import LabelOrder

_NAMELESS = re.compile(r"(?:label_)?(\d+)")
_FAIRSEQ = {
    "cola": ("acceptable", "unacceptable"),
    "sst2": ("positive", "negative"),
    "mrpc": ("equivalent", "not_equivalent"),
    "qqp": ("not_duplicate", "duplicate"),
    "mnli": ("contradiction", "neutral", "entailment"),
    "rte": ("entailment", "not_entailment"),
}
"""Of the others it is not known for certain."""


def output_of_label(
    model_labels: Sequence[str], task: Task, order: LabelOrder | None = None
) -> tuple[int, ...]:
    """Find the output of each label: logits_NC[:, outputs] is in the task's order of labels.

    Labels are matched by name, whatever their case, or as the task's files write them; `order` is
    for outputs that have no names. UserError for a head that does not fit the task, and for
    outputs without names whose order is not given.
    """
    wanted = len(task.labels) or 1
    if len(model_labels) != wanted:
        raise _misfit(model_labels, task, f"{task.name} has {wanted}")
    if not task.labels:
        return (0,)
    found = [_plain(label) for label in model_labels]
    for names in (task.labels, task.written):
        if set(found) == set(names):
            return tuple(found.index(name) for name in names)
    if not _is_nameless(found):
        raise _misfit(model_labels, task, f"{task.name} has {', '.join(task.labels)}")
    names = _names_of_outputs(task, order, model_labels)
    by_number = [names[_number(label)] for label in found]
    return tuple(by_number.index(name) for name in task.labels)


def scale_of_number(task: Task, order: LabelOrder | None) -> float:
    """Give the factor that brings a model's output into the task's range: 1, or 5 for fairseq.

    fairseq divides STS-B's scores by 5 before training (tasks/sentence_prediction.py).
    """
    assert task.range
    return task.range[1] if order == "fairseq" else 1.0


def _names_of_outputs(
    task: Task, order: LabelOrder | None, model_labels: Sequence[str]
) -> tuple[str, ...]:
    if order == "glue":
        return task.labels
    if order is None:
        raise UserError(
            f"the model's labels, {', '.join(model_labels)}, do not say which is which of "
            f"{task.name}",
            f"name them in its config.json (id2label): {', '.join(task.labels)}; or say in which "
            "order it was trained: glue, as run_glue of transformers does, or fairseq",
        )
    if task.name not in _FAIRSEQ:
        raise UserError(
            f"{task.name}: fairseq's order of its labels is not known",
            f"name them in the model's config.json (id2label): {', '.join(task.labels)}",
        )
    return _FAIRSEQ[task.name]


def _plain(label: str) -> str:
    return re.sub(r"[\s-]+", "_", label.strip().lower())


def _is_nameless(labels: Sequence[str]) -> bool:
    found = [_NAMELESS.fullmatch(label) for label in labels]
    return all(found) and {_number(label) for label in labels} == set(range(len(labels)))


def _number(label: str) -> int:
    return int(label.removeprefix("label_"))


def _misfit(model_labels: Sequence[str], task: Task, wanted: str) -> UserError:
    shown = ", ".join(model_labels[:8])
    return UserError(
        f"a head that does not fit the task: the model has {len(model_labels)} labels ({shown}), "
        f"{wanted}",
        f"give a model that was fine-tuned on {task.name}",
    )
