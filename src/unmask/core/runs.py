"""A run folder: `config.toml`, `machine.json`, `metrics.jsonl`, `checkpoints/`, `model/`."""

import json
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from unmask.core import config as configs
from unmask.core import files, machine
from unmask.core.errors import UserError

if TYPE_CHECKING:
    from _typeshed import DataclassInstance


class Run:
    """One training run on disk; opening it again with the same config continues it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.checkpoints = folder / "checkpoints"
        self.model = folder / "model"

    @classmethod
    def open(cls, folder: Path, config: "DataclassInstance", *, force: bool) -> "Run":
        """Create the folder, or reopen it; a folder made with another config is refused.

        With `force`, a run that is there already is thrown away.
        """
        run = cls(folder)
        recipe = folder / "config.toml"
        if force and recipe.exists():
            shutil.rmtree(folder)
        if recipe.exists():
            changed = configs.differences(configs.load(recipe), configs.plain(config))
            if changed:
                raise UserError(
                    f"{folder}: holds a run with another config ({changed[0]})",
                    "use another --out, or --force to start this run anew",
                )
        elif folder.exists() and any(folder.iterdir()):
            raise UserError(
                f"{folder}: is not empty and holds no run of unmask", "use another --out"
            )
        folder.mkdir(parents=True, exist_ok=True)
        configs.save(config, recipe)
        files.write_json(folder / "machine.json", machine.describe())
        return run

    def log(self, row: dict[str, Any]) -> None:
        """Append one row to `metrics.jsonl`, on a line of its own after one cut short."""
        with (self.folder / "metrics.jsonl").open("ab+") as file:
            file.seek(max(0, file.seek(0, os.SEEK_END) - 1))
            cut_short = file.read(1) not in (b"", b"\n")
            file.write(b"\n" * cut_short + json.dumps(row).encode() + b"\n")

    def metrics(self) -> Iterator[dict[str, Any]]:
        """Yield the rows of `metrics.jsonl`; a line cut short by a crash is left out."""
        path = self.folder / "metrics.jsonl"
        if not path.exists():
            return
        with path.open(encoding="utf-8") as file:
            for line in file:
                try:
                    yield json.loads(line)
                except json.JSONDecodeError:
                    continue
