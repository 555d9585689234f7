"""Held-out loss over the time of training: read from either side, compared, drawn."""

import dataclasses
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from unmask.core import files

COLORS = {
    "transformers": "#c2410c",
    "unmask": "#1d4ed8",
    "training": "#93c5fd",
    "held out": "#1d4ed8",
}


@dataclasses.dataclass(frozen=True, slots=True)
class Point:
    """One measurement."""

    step: int
    seconds: float
    """Of training before it; measuring held-out blocks is not counted."""
    loss: float
    masked_tokens: int


def of_theirs(rows: Sequence[Mapping[str, Any]]) -> list[Point]:
    """The curve that transformers_training.py wrote."""
    return [Point(row["step"], row["seconds"], row["loss"], row["masked_tokens"]) for row in rows]


def of_a_run(rows: Sequence[Mapping[str, Any]]) -> list[Point]:
    """The curve of a run of `unmask pretrain` with --log-every equal to --evaluate-every.

    The row of a step's training is written before its held-out blocks are measured, that of the
    measurement after it. So training lasts from each measurement to the next row of training:
    reading, compiling, updates and whatever else the run does in between. It begins with a
    measurement, before the first step.
    """
    points: list[Point] = []
    clock, since = 0.0, 0.0
    trained = False
    for row in rows:
        if row["kind"] == "train" and not points:
            raise SystemExit("the run has measured nothing before its first step")
        if row["kind"] == "train":
            clock, since, trained = clock + row["time"] - since, row["time"], True
        if row["kind"] == "valid" and (trained or not points):
            points.append(Point(row["step"], clock, row["loss"], row["masked_tokens"]))
            since, trained = row["time"], False
    return points


def reached(curve: Sequence[Point], loss: float) -> Point | None:
    """The first measurement at which the loss was as low."""
    return next((point for point in curve if point.loss <= loss), None)


def draw(path: Path, curves: Mapping[str, Sequence[Point]], target: float, title: str) -> None:
    """Write the curves as a picture, and where each reaches the target."""
    with _picture(path, title) as axes:
        for side, curve in curves.items():
            minutes = [point.seconds / 60 for point in curve]
            axes.plot(minutes, [point.loss for point in curve], color=COLORS[side], label=side)
            if (there := reached(curve, target)) is not None:
                place = there.seconds / 60, there.loss
                axes.plot(*place, "o", color=COLORS[side])
                axes.annotate(
                    f"{place[0]:.1f} min",
                    place,
                    xytext=(4, 8),
                    textcoords="offset points",
                    color=COLORS[side],
                )
        axes.axhline(target, color="#6b7280", linewidth=0.8, linestyle="--")
        axes.set(xlabel="minutes of training", ylabel="held-out loss, nats a masked token")


def draw_run(path: Path, rows: Sequence[Mapping[str, Any]], title: str) -> None:
    """Write the training and the held-out loss of one run as a picture."""
    with _picture(path, title) as axes:
        for kind, name in (("train", "training"), ("valid", "held out")):
            shown = [row for row in rows if row["kind"] == kind]
            minutes = [(row["time"] - rows[0]["time"]) / 60 for row in shown]
            axes.plot(minutes, [row["loss"] for row in shown], color=COLORS[name], label=name)
        axes.set(xlabel="minutes", ylabel="loss, nats a masked token")


@contextmanager
def _picture(path: Path, title: str) -> Iterator[Axes]:
    mpl.rcParams["svg.hashsalt"] = "unmask"  # the same numbers give the same file
    figure = Figure(figsize=(7.2, 4.2), layout="constrained")
    axes = figure.subplots()
    yield axes
    axes.set_title(title)
    axes.set_xlim(left=0)
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(alpha=0.25)
    axes.legend(frameon=False)
    with files.atomic(path) as file:
        figure.savefig(file, format="svg", metadata={"Date": None})
