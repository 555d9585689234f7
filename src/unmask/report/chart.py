"""Curves as SVG, drawn in the colours of the page around them.

What is drawn stands beside each curve as numbers, too, for page.js to say what is pointed at.
"""

import dataclasses
from collections.abc import Iterator
from html import escape
from typing import Literal

import numpy as np

from unmask.report import scale
from unmask.report.frame import BOTTOM, HEIGHT, LEFT, RIGHT, TOP, WIDTH, Frame
from unmask.report.history import Event
from unmask.report.scale import Scale
from unmask.report.thin import Floats, thinned

DOTTED = 60
"""A curve of at most so many points has a dot at each."""
RAMP = 8
"""Shades for curves that are layers of one thing."""
FAR = 30.0
"""A chart whose highest value is so many times its lowest is drawn on a slide rule."""

Across = Literal["steps", "hours", "minutes"]
Up = Literal["zero", "tight", "far"]
"""A ruler from zero; a ruler around the values; or that, and a slide rule where they lie far
apart."""


@dataclasses.dataclass(frozen=True, slots=True)
class Curve:
    """One line; `band` is what lies around it. x_N does not fall."""

    name: str
    x_N: Floats
    y_N: Floats
    look: str
    """A class of page.css: a to f are colours, r0 to r7 shades."""
    band: tuple[Floats, Floats] | None = None
    notes: tuple[str, ...] = ()
    """What is said of each point."""
    beside: bool = False
    """Drawn faintly and not named."""


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class Chart:
    """One picture. `unit` stands behind every value."""

    title: str
    curves: tuple[Curve, ...]
    across: Across
    about: str = ""
    unit: str = ""
    events: tuple[tuple[float, Event], ...] = ()
    """With the place of each on the x axis."""
    stacked: bool = False
    """Curves of look `line` stand apart, the others on top of each other."""
    up: Up = "zero"
    x_range: tuple[float, float] | None = None
    """Where the x axis begins and ends; by default where the curves do."""
    faint: str = "trained again"
    """What the curves are that are drawn faintly."""

    @property
    def named(self) -> list[Curve]:
        """The curves that stand in the legend."""
        return [curve for curve in self.curves if not curve.beside]


def svg(chart: Chart) -> str:
    """Draw one."""
    frame = Frame(_across(chart), _up(chart))
    parts = [*frame.rulers(), *_marks(chart, frame)]
    if chart.stacked:
        parts += _layers(chart, frame)
    else:
        parts += [part for curve in chart.curves for part in _curve(curve, frame)]
    return (
        f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img" tabindex="0" '
        f'aria-label="{escape(told(chart))}" data-left="{LEFT}" data-right="{RIGHT}" '
        f'data-low="{frame.x.low:.9g}" data-high="{frame.x.high:.9g}" data-across="{chart.across}" '
        f'data-unit="{escape(chart.unit)}">{"".join(parts)}'
        f'<line class="cursor" x1="0" x2="0" y1="{TOP}" y2="{BOTTOM}" visibility="hidden"/></svg>'
    )


def told(chart: Chart) -> str:
    """The picture in words, for those who do not see it."""
    words = []
    for curve in chart.named:
        y = curve.y_N[np.isfinite(curve.y_N)]
        ends = f"{scale.said(y[0])} to {scale.said(y[-1])}" if len(y) > 1 else scale.said(y[0])
        spread = f", lowest {scale.said(y.min())}, highest {scale.said(y.max())}"
        words.append(f"{curve.name}: {ends}{chart.unit}{spread if len(y) > 2 else ''}")
    return f"{chart.title} over {chart.across}. {'; '.join(words)}."


def is_log(chart: Chart) -> bool:
    """Whether values lie so far apart that a ruler would show only the largest."""
    values = _values(chart)
    low, high = float(values.min()), float(values.max())
    return chart.up == "far" and low > 0 and high / low > FAR


def _values(chart: Chart) -> Floats:
    parts = [part for curve in chart.curves for part in (curve.y_N, *(curve.band or ()))]
    values = np.concatenate(parts)
    found: Floats = values[np.isfinite(values)]
    return found


def _across(chart: Chart) -> Scale:
    if chart.x_range:
        return scale.exact(*chart.x_range)
    ends = [edge for curve in chart.curves for edge in (curve.x_N.min(), curve.x_N.max())]
    return scale.exact(float(min(ends)), float(max(ends)))


def _up(chart: Chart) -> Scale:
    values = _values(chart)
    low, high = float(values.min()), float(values.max())
    if chart.stacked:
        high = max(high, float(np.nanmax(_summed(chart))))
    if is_log(chart):
        return scale.logarithmic(low, high)
    return scale.linear(min(low, 0.0) if chart.up == "zero" else low, high)


def _marks(chart: Chart, frame: Frame) -> Iterator[str]:
    """Draw what happened to the run: a line from top to bottom, or a wedge for steps left out."""
    seen = set[tuple[str, int]]()
    for place, event in chart.events:
        at = frame.across(min(max(place, frame.x.low), frame.x.high))
        if (event.kind, round(at)) in seen:
            continue
        seen.add((event.kind, round(at)))
        if event.kind == "skipped":
            shape = f"M{at:.1f} {BOTTOM - 7}l3.5 7h-7z"
        else:
            shape = f"M{at:.1f} {TOP}V{BOTTOM}"
        title = f"<title>{escape(event.said)}</title>"
        yield f'<path class="event {event.kind}" d="{shape}">{title}</path>'


def _curve(curve: Curve, frame: Frame) -> Iterator[str]:
    kept = thinned(curve.x_N, curve.y_N)
    xs, ys = curve.x_N[kept], curve.y_N[kept]
    if curve.band:
        low, high = (part[kept] for part in curve.band)
        around = _path(xs, high, frame) + "L" + _path(xs[::-1], low[::-1], frame)[1:] + "Z"
        yield f'<path class="band {curve.look}" d="{around}"/>'
    faint = " beside" if curve.beside else ""
    data = "" if curve.beside else f' data-x="{_numbers(xs)}" data-y="{_numbers(ys)}"'
    yield f'<path class="line {curve.look}{faint}" d="{_path(xs, ys, frame)}"{data}/>'
    shade = curve.look.startswith("r") and len(kept) > 1
    if len(kept) <= DOTTED and not curve.beside and not shade:
        for at, (x, y) in zip(kept, zip(xs, ys, strict=True), strict=True):
            note = f"<title>{escape(curve.notes[at])}</title>" if curve.notes else ""
            place = f'cx="{frame.across(x):.1f}" cy="{frame.up(y):.1f}"'
            yield f'<circle class="dot {curve.look}" {place} r="2.6">{note}</circle>'


def _layers(chart: Chart, frame: Frame) -> Iterator[str]:
    """Draw areas one on top of the other, and lines across them."""
    kept = thinned(chart.curves[0].x_N, _summed(chart))
    floor = np.zeros(len(kept))
    for curve in chart.curves:
        xs, ys = curve.x_N[kept], np.nan_to_num(curve.y_N[kept])
        data = f'data-x="{_numbers(xs)}" data-y="{_numbers(ys)}"'
        if curve.look == "line":
            yield f'<path class="line across" d="{_path(xs, ys, frame)}" {data}/>'
            continue
        top = floor + ys
        around = _path(xs, top, frame) + "L" + _path(xs[::-1], floor[::-1], frame)[1:] + "Z"
        yield f'<path class="area {curve.look}" d="{around}" {data}/>'
        floor = top


def _summed(chart: Chart) -> Floats:
    parts = [np.nan_to_num(curve.y_N) for curve in chart.curves if curve.look != "line"]
    total: Floats = np.sum(parts, axis=0)
    return total


def _path(xs: Floats, ys: Floats, frame: Frame) -> str:
    points = zip(xs, ys, strict=True)
    return "M" + "L".join(f"{frame.across(x):.1f} {frame.up(y):.1f}" for x, y in points)


def _numbers(values: Floats) -> str:
    return " ".join(f"{value:.6g}" for value in values)
