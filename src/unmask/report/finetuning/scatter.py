"""Gold and predicted numbers, a dot for each example. Legend: N examples."""

from collections.abc import Iterator

import numpy as np

from unmask.report import scale
from unmask.report.frame import Frame, line, svg
from unmask.report.section import Picture, Table
from unmask.report.thin import Floats

GROUPS = 10
"""Of the table below the picture."""
BOTTOM, HEIGHT = 300, 344
TEXT = BOTTOM + 36


def scatter(gold_N: Floats, predicted_N: Floats) -> Picture:
    """Draw the examples that have two finite numbers, of which there is one at least."""
    ends = [edge for values_N in (gold_N, predicted_N) for edge in (values_N.min(), values_N.max())]
    axis = scale.linear(float(min(ends)), float(max(ends)), most=9)
    frame = Frame(axis, axis, left=64, bottom=BOTTOM)
    return Picture(
        title="Gold and predicted",
        about=f"{len(gold_N):,} examples; dashed: both the same",
        drawing=svg(_parts(frame, gold_N, predicted_N), _told(gold_N, predicted_N), height=HEIGHT),
        numbers=_numbers(gold_N, predicted_N),
    )


def _parts(frame: Frame, gold_N: Floats, predicted_N: Floats) -> Iterator[str]:
    yield from frame.rulers()
    low, high = frame.x.low, frame.x.high
    ends = (frame.across(low), frame.across(high)), (frame.up(low), frame.up(high))
    yield line("ideal", *ends)
    for gold, said in zip(gold_N, predicted_N, strict=True):
        x, y = frame.across(gold), frame.up(said)
        yield f'<circle class="point a" cx="{x:.1f}" cy="{y:.1f}" r="2.6"/>'
    middle = (frame.top + frame.bottom) / 2
    x = (frame.left + frame.right) / 2
    yield f'<text x="{x}" y="{TEXT}" text-anchor="middle">gold</text>'
    turned = f'transform="rotate(-90 14 {middle})"'
    yield f'<text x="14" y="{middle}" text-anchor="middle" {turned}>predicted</text>'


def _numbers(gold_N: Floats, predicted_N: Floats) -> Table:
    """What is predicted, by groups of gold numbers that are as wide as each other."""
    edges = np.linspace(gold_N.min(), gold_N.max(), GROUPS + 1)
    group_N = np.clip(np.searchsorted(edges, gold_N, side="right") - 1, 0, GROUPS - 1)
    rows = []
    for group in np.unique(group_N):
        said = predicted_N[group_N == group]
        span = f"{scale.said(edges[group])} to {scale.said(edges[group + 1])}"
        words = (scale.said(float(value)) for value in (said.mean(), said.min(), said.max()))
        rows.append((span, f"{len(said):,}", *words))
    return Table(("gold", "examples", "predicted: mean", "lowest", "highest"), tuple(rows))


def _told(gold_N: Floats, predicted_N: Floats) -> str:
    words = (scale.said(float(v)) for n in (gold_N, predicted_N) for v in (n.min(), n.max()))
    low, high, least, most = words
    return (
        f"{len(gold_N):,} examples: gold numbers from {low} to {high}, predicted ones from {least} "
        f"to {most}."
    )
