"""Predictions on the test sets in the form that GLUE's server takes.

Legend: N rows.
"""

import zipfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from unmask.core import files
from unmask.core.errors import UserError
from unmask.core.progress import say
from unmask.finetune.glue.files import split_names
from unmask.finetune.glue.tasks import TASKS, Task

NAME = "submission.zip"

_ENDS = {"test_matched": "-m", "test_mismatched": "-mm"}


def file_names(task: Task) -> dict[str, str]:
    """Name the task's files in a submission by the test file that each answers.

    `{"test": "SST-2.tsv"}`, or `{"test_matched": "MNLI-m.tsv", "test_mismatched": "MNLI-mm.tsv"}`.
    """
    return {name: f"{task.folder}{_ENDS.get(name, '')}.tsv" for name in split_names(task, "test")}


def write_classes(path: Path, task: Task, index_N: Sequence[str], class_N: Sequence[int]) -> None:
    """Write the class of each row, numbered as in `task.labels`, in the words of the task."""
    _write(path, index_N, [task.written[number] for number in class_N])


def write_numbers(
    path: Path, task: Task, index_N: Sequence[str], number_N: Sequence[float]
) -> None:
    """Write the number of each row, brought into the task's range; UserError for NaN."""
    assert task.range
    if np.isnan(number_N).any():
        first = int(np.isnan(number_N).argmax())
        raise UserError(
            f"{path}: the model's answer to row {index_N[first]} is not a number",
            "its weights are damaged or its training diverged: fine-tune it again",
        )
    inside_N = np.clip(number_N, *task.range) + 0.0  # + 0.0: there is no -0.000
    _write(path, index_N, [f"{number:.3f}" for number in inside_N])


def pack(folder: Path) -> Path:
    """Put the submission's files that are in a folder into `submission.zip` beside them.

    What is missing is said; UserError if nothing is there.
    """
    names = [name for task in TASKS for name in file_names(task).values()]
    there = [name for name in names if (folder / name).is_file()]
    if not there:
        raise UserError(
            f"{folder}: no predictions of GLUE in it", f"files are called {names[0]} and so on"
        )
    if missing := [name for name in names if name not in there]:
        say(f"{folder / NAME}: without {', '.join(missing)}, which the server asks for")
    with (
        files.atomic(folder / NAME) as file,
        zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive,
    ):
        for name in there:
            entry = zipfile.ZipInfo(name)  # without a time: the same files make the same bytes
            archive.writestr(entry, (folder / name).read_bytes(), zipfile.ZIP_DEFLATED)
    return folder / NAME


def _write(path: Path, index_N: Sequence[str], prediction_N: Sequence[str]) -> None:
    lines = [f"{index}\t{found}" for index, found in zip(index_N, prediction_N, strict=True)]
    files.write_text(path, "\n".join(["index\tprediction", *lines]) + "\n")
