"""Which pictures are made of a pretraining, and what is said where there is nothing to draw."""

import dataclasses

import numpy as np

from unmask.report import scale
from unmask.report.chart import RAMP, Across, Chart, Curve, Up
from unmask.report.curves import by_step, known, measured, reach, taken_back
from unmask.report.history import History, Track
from unmask.report.section import Section

PHASES = (("data", "a"), ("forward", "b"), ("backward", "c"), ("optimizer", "d"))
LATER = 0.3
ENOUGH = 4
"""Points that make a curve worth a picture of its own."""


def sections(history: History) -> list[Section]:
    """Draw everything that there is."""
    return [_losses(history), _steps(history), _activations(history), _scores(history)]


def _losses(history: History) -> Section:
    charts, missing = list[Chart](), list[str]()
    if not len(history.train) and not len(history.valid):
        return Section("Loss", (), ("No row of metrics.jsonl has a loss yet.",))
    if not len(history.valid):
        missing.append("The loss on held-out blocks was not measured.")
    charts.append(_loss(history, by_hours=False))
    if history.timed:
        charts.append(_loss(history, by_hours=True))
    else:
        missing.append("Rows do not say when they were written, so there is no curve over hours.")
    charts += _later(history)
    for name, title in (
        ("accuracy", "Masked accuracy"),
        ("nsp_accuracy", "Next-sentence accuracy"),
    ):
        curve = measured(history.valid, name, "held-out", "b", times=100)
        if curve:
            charts.append(by_step(history, title, curve, about="share told right", unit=" %"))
    return Section("Loss", tuple(charts), tuple(missing))


def _loss(history: History, *, by_hours: bool) -> Chart:
    minutes = history.hours < 2
    across: Across = "steps"
    if by_hours:
        across = "minutes" if minutes else "hours"
    times = 60.0 if minutes else 1.0
    curves = []
    for track, name, look in ((history.train, "training", "a"), (history.valid, "held-out", "b")):
        curve = measured(track, "loss", name, look)
        if curve and by_hours:
            curve = dataclasses.replace(curve, x_N=track.hours()[known(track, "loss")] * times)
        curves += [curve] if curve else []
    gone = [] if by_hours else taken_back(history.train)
    places = [(event.hours * times if by_hours else event.step, event) for event in history.events]
    return Chart(
        title=f"Loss over {across}",
        curves=(*gone, *curves),
        across=across,
        about="nats a masked token",
        events=tuple(places),
        up="far",
        x_range=None if by_hours else reach(history),
    )


def _later(history: History) -> list[Chart]:
    """The loss without its steep beginning, beside which the rest looks flat."""
    begin = LATER * history.step
    curves = []
    for track, name, look in ((history.train, "training", "a"), (history.valid, "held-out", "b")):
        curve = measured(track, "loss", name, look)
        if curve and (late := curve.x_N >= begin).sum() >= ENOUGH:
            cut = dataclasses.replace(curve, x_N=curve.x_N[late], y_N=curve.y_N[late])
            curves.append(cut)
    if not curves:
        return []
    low, high = begin, max(float(curve.x_N[-1]) for curve in curves)
    return [
        Chart(
            title="Loss, without the beginning",
            curves=tuple(curves),
            across="steps",
            about="nats a masked token",
            up="tight",
            x_range=(low, high),
        )
    ]


def _steps(history: History) -> Section:
    train, charts, missing = history.train, list[Chart](), list[str]()
    for name, title, about, unit, times in (
        ("lr", "Learning rate", "at the end of each interval", "", 1.0),
        ("tokens_per_s", "Speed", "tokens a second, padding not counted", "", 1.0),
        ("mfu", "Use of the machine", "share of its measured matrix peak", " %", 100.0),
        ("grad_norm", "Gradient norm", "mean of each interval, before clipping", "", 1.0),
    ):
        curve = measured(train, name, title.lower(), "a", times=times)
        if curve:
            up: Up = "far" if name == "grad_norm" else "zero"
            chart = by_step(history, title, curve, about=about, unit=unit)
            charts.append(dataclasses.replace(chart, up=up))
        else:
            missing.append(f"{title}: no row has {name}.")
    phases = _phases(history)
    if phases:
        charts.insert(3, phases)
    else:
        missing.append("Where the time of a step goes: no row has seconds.")
    return Section("Steps", tuple(charts), tuple(missing))


def _phases(history: History) -> Chart | None:
    curves = []
    live = known(history.train, "seconds/forward")
    for name, look in (*PHASES, ("communication", "line")):
        values = np.nan_to_num(history.train.column(f"seconds/{name}")[live]) * 1000
        if len(values) and (name != "communication" or values.any()):
            curves.append(Curve(name, history.train.steps()[live], values, look))
    if not curves:
        return None
    return Chart(
        title="Where the time of a step goes",
        curves=tuple(curves),
        across="steps",
        about="milliseconds; communication runs beside backward",
        unit=" ms",
        stacked=True,
        x_range=reach(history),
    )


def _activations(history: History) -> Section:
    track = history.activations
    charts = []
    for name, title, about in (
        ("kurtosis", "Kurtosis of activations", "by layer; 3 is a normal distribution"),
        ("largest", "Largest activation", "by layer, absolute"),
    ):
        curves = _layers(track, name)
        if curves:
            chart = by_step(history, title, *curves, about=about, unit="")
            charts.append(dataclasses.replace(chart, up="far"))
    missing = () if charts else ("Activations were not measured.",)
    return Section("Outliers", tuple(charts), missing)


def _layers(track: Track, name: str) -> list[Curve]:
    """One curve a layer; the deeper, the stronger its shade."""
    columns = [column for column in track.names if column.startswith(f"{name}/")]
    curves = []
    for number, column in enumerate(columns):
        shade = round(number * (RAMP - 1) / max(1, len(columns) - 1))
        label = f"layer {number}" if number else "embedding"
        curve = measured(track, column, label, f"r{shade}")
        curves += [curve] if curve else []
    return curves


def _scores(history: History) -> Section:
    charts = [
        by_step(history, f"{task}: {metric}", curve, about="mean, and lowest to highest", unit="")
        for (task, metric), track in sorted(history.scores.items())
        if (curve := _score(track))
    ]
    tight = tuple(dataclasses.replace(chart, up="tight") for chart in charts)
    missing = () if tight else ("No task was scored along the way (--scores.tasks).",)
    return Section("Scores", tight, missing)


def _score(track: Track) -> Curve | None:
    curve = measured(track, "mean", "score", "b")
    if curve is None:
        return None
    live = known(track, "mean")
    low, high = track.column("low")[live], track.column("high")[live]
    notes = [
        f"step {step:,.0f}: {scale.said(mean)}, from {scale.said(least)} to {scale.said(most)}"
        for step, mean, least, most in zip(curve.x_N, curve.y_N, low, high, strict=True)
    ]
    return dataclasses.replace(curve, band=(low, high), notes=tuple(notes))
