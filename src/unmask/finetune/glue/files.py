"""Which files of a folder belong to a task of GLUE."""

from pathlib import Path
from typing import Literal

from unmask.finetune import split_files
from unmask.finetune.glue.tasks import Task

Split = Literal["train", "dev", "test"]

FORMATS = (".tsv", ".csv", ".txt")


def find(folder: Path, task: Task, split: Split) -> dict[str, Path]:
    """Find the files of a split by name: `dev`, or `dev_matched` and `dev_mismatched`.

    `folder` is the task's own or the one of the whole download, which holds it. UserError if a
    file is missing or is there twice.
    """
    own = folder / task.folder
    place = own if own.is_dir() else folder
    return {
        name: split_files.find(place, [stem.format(split=name) for stem in task.stems], FORMATS)
        for name in split_names(task, split)
    }


def split_names(task: Task, split: Split) -> tuple[str, ...]:
    """Name the files of a split: several for the dev and test of MNLI."""
    if split == "train" or not task.parts:
        return (split,)
    return tuple(f"{split}_{part}" for part in task.parts)
