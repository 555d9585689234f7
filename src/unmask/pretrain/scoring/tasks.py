"""Tasks that are scored along the way: their folders, and their recipes of `unmask finetune`."""

import importlib.util
from pathlib import Path

from unmask.core import config as configs
from unmask.core.errors import UserError
from unmask.pretrain.config import ScoresConfig

RECIPE = "finetune.toml"
"""In the folder of a task: what only this task has, such as its columns and its metric."""


def recipes(config: ScoresConfig, tasks: tuple[Path, ...]) -> list[Path]:
    """The recipe of all tasks, and after it those that some have of their own."""
    own = [task / RECIPE for task in tasks if (task / RECIPE).exists()]
    return own if config.recipe is None else [config.recipe, *own]


def refuse_unready(config: ScoresConfig) -> None:
    """Find out before anything else what would make every fine-tuning fail: a UserError."""
    if not config.tasks:
        return
    if importlib.util.find_spec("sklearn") is None:
        raise UserError("--scores.tasks needs scikit-learn", "pip install 'unmask[finetune]'")
    names = [task.name for task in config.tasks]
    for task in config.tasks:
        if not task.is_dir():
            raise UserError(f"--scores.tasks {task}: no such folder", "check the path")
        for split in ("train", "dev"):
            if not any(task.glob(f"{split}.*")):
                raise UserError(
                    f"--scores.tasks {task}: has no {split}.*",
                    "put a train and a dev table there, as for unmask finetune --data",
                )
        if names.count(task.name) > 1:
            raise UserError(
                f"--scores.tasks {task}: another one is called {task.name}, too",
                "scores are told apart by the names of the folders: rename one",
            )
    for recipe in recipes(config, config.tasks):
        configs.load(recipe)
