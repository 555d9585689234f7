"""What stands on the page of a fine-tuning, or of several."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeAlias

from unmask.report.finetuning import answers, figures, summary
from unmask.report.finetuning.dots import dots
from unmask.report.finetuning.folder import Training, Trainings, is_several
from unmask.report.finetuning.tables import by_setting
from unmask.report.history import Event
from unmask.report.section import Section
from unmask.report.summary import Summary

Content: TypeAlias = tuple[Summary, list[Section], list[Event]]


def content(folder: Path, config: Mapping[str, Any], machine: Mapping[str, Any]) -> Content:
    """Read a run folder, and choose what to show; UserError if something in it is damaged."""
    if is_several(folder):
        return _of_many(folder, config, machine)
    run = Training.read(folder)
    whose = "" if run.best_step is None else f"at step {run.best_step:,}"
    sections = [
        figures.training(run),
        figures.answers(answers.read(folder), whose),
        figures.steps(run),
    ]
    return summary.of_one(run, machine), sections, run.history.events


def _of_many(folder: Path, config: Mapping[str, Any], machine: Mapping[str, Any]) -> Content:
    several = Trainings.read(folder)
    runs = Section(
        "Runs",
        tuple(dots(score, settings) for score, settings in several.settings.items()),
        () if several.settings else ("The summary is written when all trainings have ended.",),
        by_setting(several.settings) if several.settings else None,
    )
    sections = [runs, figures.side_by_side(several)]
    if several.settings:
        sections.append(figures.answers(answers.read(folder), f"of {several.model}"))
    return summary.of_many(several, config, machine), sections, []
