"""`unmask report`: a run folder in, one page out."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from unmask.core import config as configs
from unmask.core import files
from unmask.core.errors import UserError
from unmask.core.progress import say
from unmask.core.runs import Run
from unmask.report.config import ReportConfig
from unmask.report.figures import sections
from unmask.report.finetuning import pages
from unmask.report.history import History
from unmask.report.page import page
from unmask.report.summary import summary

SETTINGS = ("config.toml", "machine.json")
PRETRAINING, FINETUNING = "tokens", "task"
"""Settings that only one of them has."""


def run(config: ReportConfig) -> None:
    """Write the page beside the run, or where it is wanted."""
    out = config.out or config.run / "report.html"
    if out.is_dir():
        raise UserError(f"--out {out}: is a folder", "name the file to write, such as report.html")
    text = report(config.run)
    out.parent.mkdir(parents=True, exist_ok=True)
    files.write_text(out, text)
    say(f"{out}: written")


def report(folder: Path) -> str:
    """The page of a run, finished or not; UserError if there is no run in the folder."""
    config, machine = _config(folder), folder / "machine.json"
    facts = files.read_json(machine) if machine.exists() else {}
    texts = [(name, folder / name) for name in SETTINGS if (folder / name).exists()]
    settings = [(name, path.read_text(encoding="utf-8")) for name, path in texts]
    name = folder.resolve().name
    if FINETUNING in config:
        content = pages.content(folder, config, facts)
        return page(name, *content, settings)
    history = History(Run(folder).metrics())
    found = summary(config, facts, history)
    return page(name, found, sections(history), history.events, settings)


def _config(folder: Path) -> Mapping[str, Any]:
    """Read what the run was started with, which tells its kind."""
    recipe = folder / "config.toml"
    hint = "name the folder that unmask pretrain or unmask finetune wrote to (--out)"
    if not recipe.exists():
        what = "holds no run (no config.toml)" if folder.is_dir() else "no such folder"
        raise UserError(f"{folder}: {what}", hint)
    config = configs.load(recipe)
    if FINETUNING not in config and PRETRAINING not in config:
        raise UserError(
            f"{recipe}: neither of a pretraining (no {PRETRAINING}) nor of a fine-tuning "
            f"(no {FINETUNING})",
            hint,
        )
    return config
