"""What an export is measured by: the score of its task on labelled data, or masked words.

Legend: N sequences or tokens, C outputs.
"""

import dataclasses
from collections.abc import Mapping
from pathlib import Path
from typing import Protocol, TypeVar

from unmask.core import manifests
from unmask.core.errors import UserError
from unmask.export.config import ExportConfig
from unmask.export.parity import Ints, chosen
from unmask.finetune import families
from unmask.finetune.config import JudgedConfig
from unmask.finetune.data_config import (
    ChoicesConfig,
    ColumnsConfig,
    EntitiesConfig,
    WindowsConfig,
)
from unmask.finetune.known import Known
from unmask.finetune.sequences import Sequences
from unmask.finetune.task import Scores, Split
from unmask.finetune.task_names import QUESTIONS
from unmask.infer.backend import Backend, Logits
from unmask.infer.evaluate import logits_of, named
from unmask.model.heads import MaskedLM
from unmask.tokenizer.tokenizer import Tokenizer

S = TypeVar("S", ColumnsConfig, ChoicesConfig, WindowsConfig, EntitiesConfig)


class Yardstick(Protocol):
    """Data on which two ways to run a model are compared."""

    @property
    def data(self) -> Path:
        """Where they were read."""

    @property
    def sequences(self) -> Sequences:
        """What is encoded, as inputs for speed."""

    def logits(self, backend: Backend) -> list[Logits]:
        """A backend's answers."""

    def choices(self, logits: list[Logits]) -> list[Ints]:
        """What the answers choose."""

    def scores(self, logits: list[Logits]) -> Scores:
        """The task's scores."""

    def metric(self, scores: Scores) -> str:
        """Name the score that may not drop."""

    def points(self, scores: Scores) -> float:
        """The metric, in points of a hundred."""


@dataclasses.dataclass(frozen=True, slots=True)
class Labelled:
    """Labelled data of a fine-tuned model's task."""

    data: Path
    splits: list[Split]
    known: Known
    task: str
    pad_id: int

    @property
    def sequences(self) -> Sequences:
        """Those of the first split."""
        return self.splits[0].examples.sequences

    def logits(self, backend: Backend) -> list[Logits]:
        """A backend's answers, by split."""
        return [logits_of(split, backend, self.known.kind, self.pad_id) for split in self.splits]

    def choices(self, logits: list[Logits]) -> list[Ints]:
        """What the answers choose, by split."""
        return [
            chosen(one, split.examples, self.known.kind, self.known.problem)
            for split, one in zip(self.splits, logits, strict=True)
        ]

    def scores(self, logits: list[Logits]) -> Scores:
        """The scores of all splits, as evaluate names them."""
        pairs = zip(self.splits, logits, strict=True)
        return {name: score for split, one in pairs for name, score in named(split, one).items()}

    def metric(self, scores: Scores) -> str:
        """The one of the fine-tuning, on the first split; else the task's first."""
        taught = self.known.facts.get("metric")
        names = taught, f"{taught}_{self.splits[0].name}"
        return next((name for name in names if name in scores), next(iter(scores)))

    def points(self, scores: Scores) -> float:
        """The metric; those of questions are of a hundred as they come."""
        score = scores[self.metric(scores)]
        return score if self.task in QUESTIONS else 100 * score


def labelled(config: ExportConfig, known: Known, tokenizer: Tokenizer) -> Labelled:
    """Read the full dev set; UserError where nothing says which it is."""
    settings = _settings(config, known)
    splits = families.judged(settings, known, tokenizer)
    task = settings.task or known.facts.get("task") or "table"
    return Labelled(settings.data, splits, known, task, tokenizer.pad_id)


def calibration(config: ExportConfig, known: Known, tokenizer: Tokenizer) -> Sequences:
    """Read and encode what shows the ranges of an 8-bit model: texts of the task, as it reads them.

    Without --calibration it is a train split, never what is scored: that of the folder, or the one
    of the fine-tuning. UserError where there is none.
    """
    splits = families.judged(_showing(config, known), known, tokenizer)
    return splits[0].examples.sequences


def data_of(config: ExportConfig, known: Known) -> Path:
    """Find what is scored: as asked for, else what the model was fine-tuned on; else UserError."""
    if config.data is not None:
        return config.data
    if known.kind is MaskedLM:
        raise UserError(
            f"{known.folder}: a masked language model, and nothing to compare it on",
            "give --data: texts in a .txt, one a line, or a table",
        )
    return Path(str(_taught(known)["data"]))


def _showing(config: ExportConfig, known: Known) -> JudgedConfig:
    """How the data of the calibration are read."""
    if config.calibration is None and config.data is not None and not config.data.is_dir():
        try:
            taught = _taught(known)
        except UserError:
            raise UserError(
                f"--data {config.data}: is scored, and nothing else is known to calibrate on",
                "give --calibration, other examples of the same kind",
            ) from None
        plain = JudgedConfig(
            model=config.model,
            data=Path(str(taught["data"])),
            split="train",
            max_length=config.max_length,
        )
        return _as_fine_tuned(plain, taught)
    settings = _settings(config, known)
    data = config.calibration or settings.data
    apart = not data.is_dir() and data != settings.data
    return dataclasses.replace(settings, data=data, split=None if apart else "train")


def _settings(config: ExportConfig, known: Known) -> JudgedConfig:
    """How the labelled data are read: as asked for, else as in fine-tuning."""
    if config.data is not None:
        return config.judged(config.data)
    return _as_fine_tuned(config.judged(data_of(config, known), "dev"), _taught(known))


def _as_fine_tuned(settings: JudgedConfig, taught: Mapping[str, object]) -> JudgedConfig:
    """Settings with what the fine-tuning had where nothing else is asked for."""
    return dataclasses.replace(
        settings,
        columns=_as_taught(settings.columns, taught.get("columns")),
        choices=_as_taught(settings.choices, taught.get("choices")),
        windows=_as_taught(settings.windows, taught.get("windows")),
        entities=_as_taught(settings.entities, taught.get("entities")),
    )


def _as_taught(asked: S, taught: object) -> S:
    """The settings of the fine-tuning where nothing else is asked for."""
    if asked != type(asked)() or not isinstance(taught, dict):
        return asked
    lists = {name: tuple(one) for name, one in taught.items() if isinstance(one, list)}
    return type(asked)(**taught | lists)


def _taught(known: Known) -> dict[str, object]:
    """The settings of the fine-tuning; UserError where they or their data are not to be had."""
    path = known.folder / manifests.NAME
    taught = manifests.read(known.folder).config if path.exists() else {}
    if "data" not in taught or not Path(str(taught["data"])).exists():
        gone = f" ({taught['data']} is gone)" if "data" in taught else ""
        raise UserError(
            f"{known.folder}: nothing to score it on is known{gone}",
            "give --data, labelled data as unmask evaluate reads them",
        )
    return taught
