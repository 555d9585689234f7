"""What each of several trainings scored: a dot for a run, a row for a setting."""

import dataclasses
from collections.abc import Iterator, Sequence

from unmask.finetune.metrics.spread import Spread
from unmask.report import scale
from unmask.report.frame import TOP, Frame, line, svg
from unmask.report.labels import shortened, width, xml
from unmask.report.scale import Scale
from unmask.report.section import Picture, Table

ROW = 40
LETTERS = 28
TICK = 15.0
REACH = 12.0
"""How far from the middle of a row its dots lie: runs with the same score stay apart."""


@dataclasses.dataclass(frozen=True, slots=True)
class Dot:
    """One run."""

    name: str
    score: float
    is_model: bool


@dataclasses.dataclass(frozen=True, slots=True)
class Setting:
    """What runs share that differ in seed or fold alone."""

    name: str
    spread: Spread
    dots: tuple[Dot, ...]


def dots(score: str, settings: Sequence[Setting]) -> Picture:
    """Draw one score of all runs; there is one setting at least, and each has a run."""
    axis, is_cut = _axis(settings)
    left = max(52.0, max(width(shortened(one.name, LETTERS)) for one in settings) + 12)
    frame = Frame(axis, scale.exact(0, 1), left=left, bottom=TOP + ROW * len(settings))
    legend = [("dot a", "run"), ("dot b", "the model"), ("median", "median")]
    if any(one.spread.low is not None for one in settings):
        legend.append(("band a", f"95 % interval of the mean{', cut at the edge' * is_cut}"))
    return Picture(
        title=f"{score} on dev",
        about="a dot for each run",
        drawing=svg(_parts(frame, settings), _told(score, settings), height=frame.bottom + 28),
        legend=tuple(legend),
        numbers=Table(
            ("run", score),
            tuple((dot.name, scale.said(dot.score)) for one in settings for dot in one.dots),
        ),
    )


def _axis(settings: Sequence[Setting]) -> tuple[Scale, bool]:
    """Hold all dots; an interval of few runs may go far beyond them, and is cut."""
    scores = [dot.score for one in settings for dot in one.dots]
    low, high = min(scores), max(scores)
    room = (high - low) / 2
    ends = [(one.spread.low, one.spread.high) for one in settings]
    lows, highs = (
        [low] + [a for a, _ in ends if a is not None],
        [high] + [b for _, b in ends if b is not None],
    )
    axis = scale.linear(max(min(lows), low - room), min(max(highs), high + room))
    return axis, min(lows) < axis.low or max(highs) > axis.high


def _parts(frame: Frame, settings: Sequence[Setting]) -> Iterator[str]:
    for tick in frame.x.ticks:
        x = frame.across(tick)
        yield line("grid", (x, x), (TOP, frame.bottom))
    yield from frame.x_ruler()
    for number, one in enumerate(settings):
        middle = TOP + (number + 0.5) * ROW
        name = f"<title>{xml(one.name)}</title>{xml(shortened(one.name, LETTERS))}"
        yield f'<text x="{frame.left - 7:.1f}" y="{middle + 4:.1f}" text-anchor="end">{name}</text>'
        yield from _row(frame, one, middle)


def _row(frame: Frame, one: Setting, middle: float) -> Iterator[str]:
    spread = one.spread
    if spread.low is not None and spread.high is not None:
        low, high = (_within(frame, value) for value in (spread.low, spread.high))
        yield (
            f'<rect class="band a" x="{low:.1f}" width="{high - low:.1f}" y="{middle - TICK:.1f}" '
            f'height="{2 * TICK:.1f}"/>'
        )
    x = frame.across(spread.median)
    yield line("median", (x, x), (middle - TICK, middle + TICK))
    apart = 2 * REACH / max(1, len(one.dots) - 1)
    for number, dot in enumerate(one.dots):
        y = middle + (number * apart - REACH if len(one.dots) > 1 else 0)
        look, size = ("b", 4.6) if dot.is_model else ("a", 3.6)
        place = f'cx="{frame.across(dot.score):.1f}" cy="{y:.1f}"'
        yield (
            f'<circle class="dot {look}" {place} r="{size}">'
            f"<title>{xml(dot.name)}: {scale.said(dot.score)}</title></circle>"
        )


def _within(frame: Frame, value: float) -> float:
    return frame.across(min(max(value, frame.x.low), frame.x.high))


def _told(score: str, settings: Sequence[Setting]) -> str:
    words = "; ".join(
        f"{one.name}: median {scale.said(one.spread.median)}, {one.spread.runs} runs from "
        f"{scale.said(one.spread.minimum)} to {scale.said(one.spread.maximum)}"
        for one in settings
    )
    return f"{score} on dev. {words}."
