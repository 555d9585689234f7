"""`unmask report`: a run folder in, one page out."""

from pathlib import Path

from unmask.core import config as configs
from unmask.core import files
from unmask.core.errors import UserError
from unmask.core.progress import say
from unmask.core.runs import Run
from unmask.report.config import ReportConfig
from unmask.report.figures import sections
from unmask.report.history import History
from unmask.report.page import page
from unmask.report.summary import summary

SETTINGS = ("config.toml", "machine.json")


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
    recipe = folder / "config.toml"
    if not recipe.exists():
        what = "holds no run (no config.toml)" if folder.is_dir() else "no such folder"
        raise UserError(f"{folder}: {what}", "name the folder that unmask pretrain --out named")
    history = History(Run(folder).metrics())
    machine = folder / "machine.json"
    found = summary(
        configs.load(recipe), files.read_json(machine) if machine.exists() else {}, history
    )
    texts = [(name, folder / name) for name in SETTINGS if (folder / name).exists()]
    settings = [(name, path.read_text(encoding="utf-8")) for name, path in texts]
    return page(folder.resolve().name, found, sections(history), history.events, settings)
