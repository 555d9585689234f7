"""The box that a picture is drawn in: where values lie, and the rulers along its edges."""

import dataclasses
from collections.abc import Iterator

from unmask.report import scale
from unmask.report.labels import xml
from unmask.report.scale import Scale

WIDTH, HEIGHT = 560, 236
LEFT, RIGHT, TOP, BOTTOM = 52, 548, 10, 208


@dataclasses.dataclass(frozen=True, slots=True)
class Frame:
    """Two axes, and where they lie in the picture."""

    x: Scale
    y: Scale
    left: float = LEFT
    right: float = RIGHT
    top: float = TOP
    bottom: float = BOTTOM

    def across(self, value: float) -> float:
        """Where a value of the x axis lies."""
        return self.left + self.x.share(value) * (self.right - self.left)

    def up(self, value: float) -> float:
        """Where a value of the y axis lies."""
        return self.bottom - self.y.share(value) * (self.bottom - self.top)

    def rulers(self) -> Iterator[str]:
        """Draw both."""
        yield from self.y_ruler()
        yield from self.x_ruler()

    def y_ruler(self) -> Iterator[str]:
        """Draw the labels on the left, with a line across the picture for each."""
        for tick in self.y.ticks:
            at = self.up(tick)
            yield (
                f'<line class="grid" x1="{self.left}" x2="{self.right}" '
                f'y1="{at:.1f}" y2="{at:.1f}"/>'
            )
            yield (
                f'<text x="{self.left - 7}" y="{at + 4:.1f}" text-anchor="end">'
                f"{scale.short(tick)}</text>"
            )

    def x_ruler(self) -> Iterator[str]:
        """Draw the floor, and the labels below it."""
        low, middle, high = self.bottom, self.bottom + 4, self.bottom + 18
        for tick in self.x.ticks:
            at = self.across(tick)
            yield f'<line class="tick" x1="{at:.1f}" x2="{at:.1f}" y1="{low}" y2="{middle}"/>'
            # The last label ends where the picture ends.
            anchor = "end" if at > self.right - 8 else "middle"
            yield f'<text x="{at:.1f}" y="{high}" text-anchor="{anchor}">{scale.short(tick)}</text>'
        yield f'<line class="floor" x1="{self.left}" x2="{self.right}" y1="{low}" y2="{low}"/>'


def line(look: str, x: tuple[float, float], y: tuple[float, float]) -> str:
    """Draw a straight line, in a class of page.css."""
    return f'<line class="{look}" x1="{x[0]:.1f}" x2="{x[1]:.1f}" y1="{y[0]:.1f}" y2="{y[1]:.1f}"/>'


def svg(parts: Iterator[str], told: str, *, width: float = WIDTH, height: float = HEIGHT) -> str:
    """Put a picture together that stands still; `told` is what it shows, in words."""
    return (
        f'<svg class="still" viewBox="0 0 {width:g} {height:g}" role="img" '
        f'aria-label="{xml(told)}">{"".join(parts)}</svg>'
    )
