"""What the folder of a fine-tuning holds, or that of several."""

import dataclasses
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from unmask.core import config as configs
from unmask.core import files, manifests
from unmask.core.errors import UserError
from unmask.core.runs import Run
from unmask.finetune.metrics.spread import Spread
from unmask.report.finetuning.dots import Dot, Setting
from unmask.report.history import History

DEV = "dev_"
"""Before the names of scores in a model's manifest."""
NO_SCORE = ("epoch", "total")
"""How the names end of what rows of dev hold beside scores: `HasAns_total` counts examples."""
MANY, RUNS = "many.json", "runs"


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class Training:
    """One run, finished or not."""

    name: str
    config: Mapping[str, Any]
    facts: Mapping[str, Any]
    """Of the manifest of its model: which look at dev was best. Empty while it goes on."""
    history: History

    @classmethod
    def read(cls, folder: Path) -> "Training":
        """Read the folder of a run; UserError if something in it is damaged."""
        model = folder / "model"
        done = (model / manifests.NAME).exists()
        return cls(
            name=folder.resolve().name,
            config=configs.load(folder / "config.toml"),
            facts=manifests.read(model).facts if done else {},
            history=History(Run(folder).metrics()),
        )

    @property
    def metric(self) -> str | None:
        """The score that decides which look at dev is best; None if it is not known yet."""
        chosen = self.facts.get("metric") or self.config.get("metric")
        return None if chosen is None else str(chosen)

    @property
    def scores(self) -> dict[str, float]:
        """Those of the best look at dev; before there is a model, those of the last one."""
        names = [name for name in self.history.dev.names if not name.endswith(NO_SCORE)]
        last = {name: self.history.dev.last(name) for name in names}
        best = {name: self.facts.get(f"{DEV}{name}", value) for name, value in last.items()}
        order = sorted(best, key=lambda name: name != self.metric)
        return {name: float(best[name]) for name in order if best[name] is not None}

    @property
    def best_step(self) -> int | None:
        """The step of the model."""
        step = self.facts.get("best_step")
        return None if step is None else int(step)


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class Trainings:
    """Several of one command."""

    runs: tuple[Training, ...]
    model: str | None
    """The name of the run whose model is the result."""
    settings: Mapping[str, tuple[Setting, ...]]
    """By score, that by which the model was chosen first; empty before all have ended."""

    @classmethod
    def read(cls, folder: Path) -> "Trainings":
        """Read the folder of all; UserError if something in it is damaged."""
        configs_ = sorted((folder / RUNS).glob("*/config.toml"), key=_natural)
        runs = tuple(Training.read(path.parent) for path in configs_)
        path = folder / MANY
        if not path.exists():
            return cls(runs=runs, model=None, settings={})
        try:
            table = files.read_json(path)
            return cls(runs=runs, model=str(table["model"]), settings=_settings(table))
        except (ValueError, LookupError, TypeError, AttributeError) as error:
            what = f"{type(error).__name__}: {error}"
            raise UserError(f"{path}: damaged ({what})", "fine-tune again") from None

    @property
    def shown(self) -> Training | None:
        """The run of the model, and before there is one, the first."""
        named = [run for run in self.runs if run.name == self.model]
        return next(iter([*named, *self.runs]), None)


def is_several(folder: Path) -> bool:
    """Whether a folder holds several trainings."""
    return (folder / MANY).exists() or (folder / RUNS).is_dir()


def _settings(table: Mapping[str, Any]) -> dict[str, tuple[Setting, ...]]:
    summary, runs = table["summary"], table["runs"]
    of_setting = {
        setting: [run for run in runs if _setting(run["name"]) == setting] for setting in summary
    }
    if not all(of_setting.values()) or table["model"] not in {run["name"] for run in runs}:
        raise ValueError("a setting without runs, or a model that is none of them")
    metric = runs[0]["metric"]
    names = sorted(summary[_setting(runs[0]["name"])], key=lambda name: name != metric)
    return {
        score: tuple(
            Setting(
                setting or "all runs",
                _spread(spreads[score]),
                tuple(
                    Dot(run["name"], float(run[f"{DEV}{score}"]), run["name"] == table["model"])
                    for run in of_setting[setting]
                ),
            )
            for setting, spreads in summary.items()
        )
        for score in names
        if not score.endswith(NO_SCORE)
    }


def _spread(table: Mapping[str, Any]) -> Spread:
    return Spread(**{field.name: table[field.name] for field in dataclasses.fields(Spread)})


def _setting(run: str) -> str:
    """The name of a run without its seed or fold, which is the last of its name."""
    return re.sub(r"(^|-)(seed|fold)-\d+$", "", run)


def _natural(path: Path) -> list[tuple[bool, float, str]]:
    """Order seed-2 before seed-10."""
    parts = re.split(r"(\d+)", path.parent.name)
    return [(part.isdigit(), float(part) if part.isdigit() else 0.0, part) for part in parts]
