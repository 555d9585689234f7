"""The confusion matrix as a heat map: what was taken for what.

One colour whose strength tells the share of a row: it is read without telling hues apart, and in
print. Legend: C classes; rows are gold, columns predicted.
"""

import dataclasses
import math
from collections.abc import Iterator, Sequence

import numpy as np

from unmask.report import scale
from unmask.report.finetuning.answers import Counts
from unmask.report.frame import WIDTH, svg
from unmask.report.labels import shortened, width, xml
from unmask.report.section import Picture, Table

NARROW = 8
"""Classes for which half the width of the page is enough."""
NUMBERED = 20
"""Classes up to which every cell has room for its number."""
MOST = 60
"""Classes of a picture that can be read."""
NAMED = 24
"""Confusions that are listed."""
LETTERS = 20
"""Of a label; the whole stands in the table."""
WIDE = 2 * WIDTH
GAP, HEAD = 7, 26
INKS = (0.42, 0.65)
"""Shades from which a number is black, and then of the colour of the ground: each can be read on
its shade, on light pages and on dark ones."""


@dataclasses.dataclass(frozen=True, slots=True)
class Layout:
    """Where the cells lie. With many classes the picture takes the whole width."""

    labels: tuple[str, ...]
    whole: float
    left: float
    cell: tuple[float, float]
    """Width and height of one."""

    @classmethod
    def of(cls, labels: Sequence[str]) -> "Layout":
        """Give them room for their labels and numbers."""
        classes, short = len(labels), tuple(shortened(label, LETTERS) for label in labels)
        widest = max(map(width, short))
        left = max(60.0, widest + 2 * GAP)
        whole = WIDTH if classes <= NARROW else WIDE
        across = min(96.0 if classes <= NARROW else 64.0, (whole - left - 12) / classes)
        down = max(28.0, min(84.0, 232 / classes)) if classes <= NUMBERED else 15.0
        if classes > NUMBERED:
            across = min(across, 22.0)
        # Both margins the same, so that the matrix stands in the middle.
        spare = whole - 12 - left - across * classes
        return cls(short, whole, left + spare / 2, (across, down))

    @property
    def slanted(self) -> bool:
        """Whether labels of columns have no room side by side."""
        return max(map(width, self.labels)) > self.cell[0] - 6

    @property
    def right(self) -> float:
        """Where the cells end."""
        return self.left + len(self.labels) * self.cell[0]

    @property
    def bottom(self) -> float:
        """Where the cells end."""
        return HEAD + len(self.labels) * self.cell[1]

    @property
    def height(self) -> float:
        """Of the picture."""
        widest = max(map(width, self.labels))
        return self.bottom + (widest * math.sin(math.pi / 4) + 16 if self.slanted else 24)


def matrix(labels: Sequence[str], counts_CC: Counts) -> Picture:
    """Draw at most `MOST` classes; with more than `NUMBERED` cells say their number when asked."""
    layout = Layout.of(labels)
    parts = [*_cells(layout, labels, counts_CC), *_labels(layout, labels), *_head(layout)]
    return Picture(
        title="Confusion matrix",
        about="examples, shaded by their share of the row",
        drawing=svg(
            iter(parts), _told(labels, counts_CC), width=layout.whole, height=layout.height
        ),
        numbers=_numbers(labels, counts_CC),
        wide=len(labels) > NARROW,
    )


def confused(
    labels: Sequence[str], counts_CC: Counts, most: int = NAMED
) -> list[tuple[str, str, int]]:
    """Gold, what it was taken for, and how often; the most frequent first."""
    wrong_CC = counts_CC * ~np.eye(len(labels), dtype=np.bool_)
    order = np.argsort(-wrong_CC, axis=None, kind="stable")[:most]
    pairs = [divmod(int(place), len(labels)) for place in order]
    return [
        (labels[gold], labels[said], int(counts_CC[gold, said]))
        for gold, said in pairs
        if wrong_CC[gold, said]
    ]


def _cells(layout: Layout, labels: Sequence[str], counts_CC: Counts) -> Iterator[str]:
    wide, high = layout.cell
    share_CC = counts_CC / np.maximum(1, counts_CC.sum(axis=1, keepdims=True))
    for gold, said in np.ndindex(counts_CC.shape):
        count, share = int(counts_CC[gold, said]), float(share_CC[gold, said])
        x, y = layout.left + said * wide, HEAD + gold * high
        if count:
            title = f"{labels[gold]}, taken for {labels[said]}: {count:,} ({share:.1%} of its row)"
            if gold == said:
                title = f"{labels[gold]}, told right: {count:,} ({share:.1%} of its row)"
            yield (
                f'<rect class="cell" x="{x + 0.5:.1f}" y="{y + 0.5:.1f}" width="{wide - 1:.1f}" '
                f'height="{high - 1:.1f}" fill-opacity="{_shade(share):.3f}">'
                f"<title>{xml(title)}</title></rect>"
            )
        if len(labels) <= NUMBERED:
            yield (
                f'<text class="{_ink(share)}" x="{x + wide / 2:.1f}" '
                f'y="{y + high / 2 + 4:.1f}" text-anchor="middle">{_short(count)}</text>'
            )
    size = f'width="{layout.right - layout.left:.1f}" height="{layout.bottom - HEAD:.1f}"'
    yield f'<rect class="edge" x="{layout.left:.1f}" y="{HEAD}" {size}/>'


def _labels(layout: Layout, labels: Sequence[str]) -> Iterator[str]:
    wide, high = layout.cell
    for number, (short, whole) in enumerate(zip(layout.labels, labels, strict=True)):
        text = f"<title>{xml(whole)}</title>{xml(short)}"
        y = HEAD + (number + 0.5) * high + 4
        yield f'<text x="{layout.left - GAP:.1f}" y="{y:.1f}" text-anchor="end">{text}</text>'
        x, y = layout.left + (number + 0.5) * wide, layout.bottom + 16
        if layout.slanted:
            turned = f'transform="rotate(-45 {x + 4:.1f} {y - 2:.1f})"'
            yield f'<text x="{x + 4:.1f}" y="{y - 2:.1f}" text-anchor="end" {turned}>{text}</text>'
        else:
            yield f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="middle">{text}</text>'


def _head(layout: Layout) -> Iterator[str]:
    """Name the axes."""
    y = HEAD - 9
    yield f'<text x="{layout.left - GAP:.1f}" y="{y}" text-anchor="end">gold ↓</text>'
    yield f'<text x="{layout.left:.1f}" y="{y}">predicted →</text>'


def _shade(share: float) -> float:
    """How strong; the root keeps rare confusions visible beside a strong diagonal."""
    return math.sqrt(share)


def _ink(share: float) -> str:
    if not share:
        return "none"
    shade = _shade(share)
    return "few" if shade < INKS[0] else "half" if shade < INKS[1] else "most"


def _short(count: int) -> str:
    return f"{count:,}" if count < 10_000 else scale.short(float(f"{count:.3g}"))


def _told(labels: Sequence[str], counts_CC: Counts) -> str:
    right, every = int(np.trace(counts_CC)), int(counts_CC.sum())
    worst = "; ".join(
        f"{gold} taken for {said} {count:,} times"
        for gold, said, count in confused(labels, counts_CC, 3)
    )
    often = f" Most often confused: {worst}." if worst else ""
    return f"Confusion matrix of {len(labels)} classes: {right:,} of {every:,} right.{often}"


def _numbers(labels: Sequence[str], counts_CC: Counts) -> Table:
    """All of them, or the worst confusions of many classes."""
    if len(labels) > NUMBERED:
        rows = ((gold, said, f"{count:,}") for gold, said, count in confused(labels, counts_CC))
        return Table(("gold", "taken for", "times"), tuple(rows))
    return Table(
        ("gold ↓ predicted →", *labels),
        tuple(
            (label, *(f"{count:,}" for count in row))
            for label, row in zip(labels, counts_CC.tolist(), strict=True)
        ),
    )
