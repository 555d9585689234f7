"""A run in a few lines: what was trained, on what, how far it is, what came out."""

import dataclasses
from collections.abc import Mapping
from typing import Any

import numpy as np

from unmask.report import scale
from unmask.report.history import History, Track

Facts = list[tuple[str, str]]


@dataclasses.dataclass(frozen=True, slots=True)
class Summary:
    """What stands at the head of the page."""

    state: str
    facts: Facts
    results: Facts
    kind: str = "run"


def summary(config: Mapping[str, Any], machine: Mapping[str, Any], history: History) -> Summary:
    """Sum up; what is not known is left out."""
    return Summary(
        _state(config, history),
        [*_trained(config), *machine_facts(machine), *effort(history)],
        [*_losses(history), *_speed(history.train), *troubles(history), *_scores(history)],
    )


def _state(config: Mapping[str, Any], history: History) -> str:
    steps = config.get("steps")
    at = f"step {history.step:,}"
    if not steps or config.get("budget_hours"):
        return at
    if history.step >= steps:
        return f"all {steps:,} steps done"
    return f"{at} of {steps:,} ({history.step / steps:.0%})"


def _trained(config: Mapping[str, Any]) -> Facts:
    facts, model = [], config.get("model")
    if isinstance(model, Mapping):
        sizes = f"{model['layers']} layers, width {model['width']}, {model['heads']} heads"
        facts.append(("Encoder", f"{config.get('family', '')} {sizes}".strip()))
    if "batch" in config:
        length = f" of up to {config['length']} tokens" if config.get("length") else ""
        facts.append(("Batch", f"{config['batch']:,} blocks{length}"))
    for name, key in (("Input", "plan"), ("Text", "tokens"), ("From", "init")):
        if config.get(key):
            facts.append((name, str(config[key])))
    return facts


def machine_facts(machine: Mapping[str, Any]) -> Facts:
    """Where it was computed, and with what."""
    facts = []
    if gpus := machine.get("gpus"):
        facts.append(("Card", gpus[0] if len(gpus) == 1 else f"{len(gpus)} × {gpus[0]}"))
    if "cpu" in machine:
        facts.append(("Processor", f"{machine['cpu']}, {machine.get('cores')} cores"))
    if versions := machine.get("versions"):
        facts.append(
            ("Made with", f"unmask {versions.get('unmask')}, torch {versions.get('torch')}")
        )
    return facts


def effort(history: History) -> Facts:
    """How long it took, and how many tokens it saw."""
    facts = []
    if history.timed:
        facts.append(("Time", _duration(history.hours)))
    tokens = np.nansum(history.train.column("tokens"))
    if tokens:
        facts.append(("Tokens", scale.short(float(f"{tokens:.4g}"))))
    return facts


def _duration(hours: float) -> str:
    if hours < 1 / 60:
        return f"{hours * 3600:.0f} s"
    if hours < 1:
        return f"{hours * 60:.0f} min"
    whole, minutes = divmod(round(hours * 60), 60)
    return f"{whole:,} h {minutes} min"


def _losses(history: History) -> Facts:
    facts = []
    for name, track in (("Training loss", history.train), ("Held-out loss", history.valid)):
        if (loss := track.last("loss")) is not None:
            facts.append((name, f"{loss:.4f}"))
    losses = history.valid.column("loss")
    if len(losses) > 1 and np.isfinite(losses).any():
        best = int(np.nanargmin(losses))
        step = int(history.valid.steps()[best])
        facts.append(("Best held-out loss", f"{losses[best]:.4f} at step {step:,}"))
    if (perplexity := history.valid.last("perplexity")) is not None:
        facts.append(("Held-out perplexity", scale.said(perplexity)))
    for name, label in (
        ("accuracy", "Masked accuracy"),
        ("nsp_accuracy", "Next-sentence accuracy"),
    ):
        if (share := history.valid.last(name)) is not None:
            facts.append((label, f"{share:.2%}"))
    return facts


def _speed(train: Track) -> Facts:
    facts = []
    for name, label in (("tokens_per_s", "Tokens a second"), ("mfu", "Use of the matrix peak")):
        values = train.column(name)
        if np.isfinite(values).any():
            median = float(np.nanmedian(values))
            said = f"{median:.1%}" if name == "mfu" else f"{median:,.0f}"
            facts.append((label, f"{said} (median)"))
    if (padding := train.last("padding_share")) is not None:
        facts.append(("Padding", f"{padding:.1%}"))
    memory = train.column("memory_bytes")
    if np.isfinite(memory).any():
        facts.append(("Peak memory", f"{np.nanmax(memory) / 2**30:.2f} GiB"))
    return facts


def troubles(history: History) -> Facts:
    """What did not go as it should; nothing if all did."""
    skipped = np.nansum(history.train.everything("skipped"))
    counts = [("Steps left out", int(skipped))]
    for kind, label in (
        ("rollback", "Rollbacks"),
        ("restart", "Times begun anew"),
        ("resume", "Times continued"),
    ):
        counts.append((label, sum(event.kind == kind for event in history.events)))
    return [(label, f"{count:,}") for label, count in counts if count]


def _scores(history: History) -> Facts:
    facts = []
    for (task, metric), track in sorted(history.scores.items()):
        last = {name: track.last(name) for name in ("mean", "low", "high")}
        if last["mean"] is None:
            continue
        spread = "" if last["low"] is None else f" ({last['low']:.4g} to {last['high']:.4g})"
        facts.append((f"{task}, {metric}", f"{last['mean']:.4g}{spread}"))
    return facts
