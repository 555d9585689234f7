"""A fine-tuning in a few lines: what was learnt, from which model, what came out."""

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from unmask.report import scale
from unmask.report.finetuning.folder import Training, Trainings
from unmask.report.finetuning.tables import interval
from unmask.report.history import History
from unmask.report.summary import Facts, Summary, effort, machine_facts, troubles

KIND = "fine-tuning"


def of_one(run: Training, machine: Mapping[str, Any]) -> Summary:
    """Sum up a training; what is not known is left out."""
    history = run.history
    return Summary(
        _state(run),
        [*_learnt(run.config), *machine_facts(machine), *effort(history)],
        [*_scores(run), *_losses(history), *troubles(history)],
        KIND,
    )


def of_many(several: Trainings, config: Mapping[str, Any], machine: Mapping[str, Any]) -> Summary:
    """Sum up several trainings."""
    done = sum(bool(run.facts) for run in several.runs)
    state = f"{len(several.runs)} trainings" + (" done" if several.settings else f", {done} done")
    results = []
    for score, settings in several.settings.items():
        best = next(one for one in settings if any(dot.is_model for dot in one.dots))
        of = f", median of {best.spread.runs} runs" if best.spread.runs > 1 else ""
        results.append((f"{score} on dev", f"{scale.said(best.spread.median)}{of}"))
        if len(results) == 1 and (sure := interval(best)):
            results.append((f"{score}, 95 % interval of the mean", sure))
    if several.model:
        results.append(("The model", several.model))
    return Summary(state, [*_learnt(config), *machine_facts(machine)], results, KIND)


def _state(run: Training) -> str:
    if run.facts:
        return "finished"
    at = f"step {run.history.step:,}"
    if total := run.config.get("steps"):
        return f"{at} of {total:,} ({run.history.step / total:.0%})"
    epoch = run.history.dev.last("epoch")
    return at if epoch is None else f"{at}, epoch {epoch:.3g} of {run.config.get('epochs'):g}"


def _learnt(config: Mapping[str, Any]) -> Facts:
    facts = []
    for name, key in (
        ("Task", "task"),
        ("Data", "data"),
        ("From", "model"),
        ("Encoder of", "init_from"),
    ):
        if config.get(key):
            facts.append((name, str(config[key])))
    if config.get("weights") == "random":
        facts.append(("Weights", "random"))
    many = config.get("many", {})
    if sizes := many.get("sweep_batch") or _one(config, "batch"):
        facts.append(("Batch", f"{_tried(sizes)} examples"))
    if rates := many.get("sweep_lr") or _one(config.get("optim", {}), "peak_lr"):
        facts.append(("Peak learning rate", _tried(rates)))
    return facts


def _one(config: Mapping[str, Any], name: str) -> list[float]:
    return [config[name]] if name in config else []


def _tried(numbers: Iterable[float]) -> str:
    return " or ".join(f"{number:g}" for number in numbers)


def _scores(run: Training) -> Facts:
    facts = []
    when = "at the last look" if run.best_step is None else f"at step {run.best_step:,}"
    for name, score in run.scores.items():
        facts.append((f"{name} on dev", f"{scale.said(score)} {when}"))
    if "best_epoch" in run.facts:
        facts.append(("Best epoch", f"{run.facts['best_epoch']:.4g}"))
    if run.facts.get("stuck"):
        facts.append(("Stuck", "gives one answer to everything"))
    return facts


def _losses(history: History) -> Facts:
    facts = []
    if (loss := history.train.last("loss")) is not None:
        facts.append(("Training loss", f"{loss:.4f}"))
    speed, memory = history.train.column("examples_per_s"), history.train.column("memory_bytes")
    if np.isfinite(speed).any():
        facts.append(("Examples a second", f"{np.nanmedian(speed):,.0f} (median)"))
    if np.isfinite(memory).any():
        facts.append(("Peak memory", f"{np.nanmax(memory) / 2**30:.2f} GiB"))
    return facts
