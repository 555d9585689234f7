"""Which pictures are made of a fine-tuning, and what is said where there is nothing to draw."""

import dataclasses

import numpy as np

from unmask.report import scale
from unmask.report.chart import Chart
from unmask.report.curves import by_step, known, measured, taken_back
from unmask.report.finetuning.answers import Answers
from unmask.report.finetuning.folder import Training, Trainings
from unmask.report.finetuning.matrix import MOST, confused, matrix
from unmask.report.finetuning.reliability import reliability
from unmask.report.finetuning.scatter import scatter
from unmask.report.finetuning.tables import by_label
from unmask.report.history import Event
from unmask.report.section import Picture, Section

WORST = 5
"""Confusions that are told where there are too many classes to draw them all."""


def training(run: Training) -> Section:
    """The loss, and every score on dev."""
    charts = [_loss(run)]
    missing = ["No row of metrics.jsonl has a loss yet."] if charts[0] is None else []
    match len(run.history.dev) if run.scores else 0:
        case 0:
            missing.append("No look at dev was taken yet.")
        case 1:
            missing.append("One look at dev was taken: what it found stands above.")
        case _:
            charts += [_score(run, name) for name in run.scores]
    return Section("Training", tuple(filter(None, charts)), tuple(missing))


def steps(run: Training) -> Section:
    """How the steps were made."""
    charts, missing = [], []
    for name, title, about in (
        ("lr", "Learning rate", "at the end of each interval"),
        ("examples_per_s", "Speed", "examples a second"),
        ("grad_norm", "Gradient norm", "mean of each interval, before clipping"),
    ):
        curve = measured(run.history.train, name, title.lower(), "a")
        if curve is None:
            missing.append(f"{title}: no row has {name}.")
            continue
        chart = by_step(run.history, title, curve, about=about)
        charts.append(dataclasses.replace(chart, up="far") if name == "grad_norm" else chart)
    return Section("Steps", tuple(charts), tuple(missing))


def answers(found: Answers | None, whose: str = "") -> Section:
    """How dev was answered by the model: by class, or number by number."""
    title = f"Answers on dev {whose}".rstrip()
    if found is None:
        return Section(title, (), ("They are written down when the training has ended.",))
    pictures, missing = list[Picture](), list[str]()
    if found.confusion_CC is not None:
        if len(found.labels) > MOST:
            missing.append(_too_many(found))
        else:
            pictures.append(matrix(found.labels, found.confusion_CC))
    if found.calibration is not None:
        pictures.append(reliability(found.calibration))
    pictures.sort(key=lambda picture: picture.wide)
    finite_N = np.isfinite(found.gold_N) & np.isfinite(found.predicted_N)
    if finite_N.any():
        pictures.append(scatter(found.gold_N[finite_N], found.predicted_N[finite_N]))
    if left_out := int((~finite_N).sum()):
        missing.append(f"{left_out:,} examples have no finite number, and are not drawn.")
    table = by_label(found.per_label) if found.per_label else None
    if not pictures and table is None and not missing:
        missing.append("The task has no classes and no numbers to show.")
    return Section(title, tuple(pictures), tuple(missing), table)


def _loss(run: Training) -> Chart | None:
    curve = measured(run.history.train, "loss", "training", "a")
    if curve is None:
        return None
    chart = by_step(
        run.history,
        "Training loss",
        *taken_back(run.history.train),
        curve,
        about="mean of each interval",
    )
    return dataclasses.replace(chart, events=_events(run), up="far")


def _score(run: Training, name: str) -> Chart | None:
    curve = measured(run.history.dev, name, name, "b")
    if curve is None:
        return None
    epochs = run.history.dev.column("epoch")[known(run.history.dev, name)]
    notes = tuple(
        f"step {step:,.0f}, epoch {scale.said(epoch)}: {scale.said(score)}"
        for step, epoch, score in zip(curve.x_N, epochs, curve.y_N, strict=True)
    )
    decides = ", decides which moment is best" if name == run.metric else ""
    chart = by_step(
        run.history,
        f"{name} on dev",
        dataclasses.replace(curve, notes=notes),
        about=f"at each look{decides}",
    )
    return dataclasses.replace(chart, events=_events(run), up="tight")


def _events(run: Training) -> tuple[tuple[float, Event], ...]:
    """What happened to the run, and the moment that was best."""
    events = [(float(event.step), event) for event in run.history.events]
    if run.best_step is not None and run.metric in run.scores:
        score = scale.said(run.scores[run.metric])
        said = f"best at step {run.best_step:,}: {run.metric} {score} on dev"
        events.append((float(run.best_step), Event("best", run.best_step, 0.0, said)))
    return tuple(events)


def _too_many(found: Answers) -> str:
    assert found.confusion_CC is not None
    worst = "; ".join(
        f"{gold} taken for {said}, {count:,} times"
        for gold, said, count in confused(found.labels, found.confusion_CC, WORST)
    )
    return (
        f"The confusion matrix of {len(found.labels)} classes is too large to draw (at most {MOST})"
        f"{'; most often confused: ' + worst if worst else ''}."
    )


def side_by_side(several: Trainings) -> Section:
    """The course of every run; that of the model, or of the first, stands out."""
    shown = several.shown
    if shown is None:
        return Section("Training", (), ("No training has begun yet.",))
    metric = next(iter(shown.scores), None)
    columns = [("train", "loss", "Training loss", "a")]
    columns += [("dev", metric, f"{metric} on dev", "b")] if metric else []
    charts, missing = list[Chart](), list[str]()
    for kind, name, title, look in columns:
        curves = [
            dataclasses.replace(curve, beside=run is not shown)
            for run in sorted(several.runs, key=lambda run: run is shown)
            if (curve := measured(getattr(run.history, kind), name, run.name, look))
        ]
        if curves and not curves[-1].beside:
            chart = by_step(shown.history, title, *curves, about="every run")
            ends = max(float(curve.x_N[-1]) for curve in curves)
            charts.append(
                dataclasses.replace(
                    chart,
                    x_range=(0.0, ends),
                    up="tight" if kind == "dev" else "far",
                    faint="the other runs",
                )
            )
    return Section("Training", tuple(charts), tuple(missing))
