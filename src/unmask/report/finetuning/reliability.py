"""The reliability diagram (Guo et al. 2017): how sure a classifier is, and how often right."""

from collections.abc import Iterator

from unmask.finetune.metrics.calibration import Bin, Calibration
from unmask.report import scale
from unmask.report.frame import BOTTOM, LEFT, RIGHT, Frame, line, svg
from unmask.report.section import Picture, Table

COUNTS = (BOTTOM + 50.0, BOTTOM + 96.0)
"""The top and the floor of the bars below, which tell how many examples a bin has."""
HEIGHT = COUNTS[1] + 24
SHARES = scale.linear(0, 1)


def reliability(calibration: Calibration) -> Picture:
    """Draw accuracy over confidence; below, how many examples there are."""
    frame = Frame(SHARES, SHARES)
    parts = (part for draw in (_accuracy, _counts) for part in draw(calibration, frame))
    return Picture(
        title="Reliability",
        about=f"calibration error {calibration.ece:.3f}, Brier score {calibration.brier:.3f}",
        drawing=svg(parts, _told(calibration), height=HEIGHT),
        legend=(("a", "accuracy"), ("b", "confidence"), ("f", "examples")),
        numbers=Table(
            ("probability", "examples", "confidence", "accuracy"),
            tuple(
                (_span(one), f"{one.count:,}", f"{one.confidence:.3f}", f"{one.accuracy:.3f}")
                for one in calibration.bins
            ),
        ),
    )


def _accuracy(calibration: Calibration, frame: Frame) -> Iterator[str]:
    """Draw a bar for each bin, and a tick where it would end if confidence were right."""
    yield from frame.rulers()
    for one in calibration.bins:
        x, wide = _place(one, frame)
        top = frame.up(one.accuracy)
        title = (
            f"{_span(one)}: {one.count:,} examples, confidence {one.confidence:.3f}, "
            f"accuracy {one.accuracy:.3f}"
        )
        yield (
            f'<rect class="bar a" x="{x:.1f}" y="{top:.1f}" width="{wide:.1f}" '
            f'height="{frame.bottom - top:.1f}"><title>{title}</title></rect>'
        )
    yield line("ideal", (frame.across(0), frame.across(1)), (frame.up(0), frame.up(1)))
    for one in calibration.bins:
        x, wide = _place(one, frame)
        y = frame.up(one.confidence)
        yield line("wanted b", (x, x + wide), (y, y))


def _counts(calibration: Calibration, frame: Frame) -> Iterator[str]:
    top, floor = COUNTS
    most = max(one.count for one in calibration.bins)
    for one in calibration.bins:
        x, wide = _place(one, frame)
        high = max(1.0, (floor - top) * one.count / most)
        yield (
            f'<rect class="bar f" x="{x:.1f}" y="{floor - high:.1f}" width="{wide:.1f}" '
            f'height="{high:.1f}"/>'
        )
        yield (
            f'<text x="{x + wide / 2:.1f}" y="{floor - high - 4:.1f}" text-anchor="middle">'
            f"{_short(one.count)}</text>"
        )
    yield line("floor", (LEFT, RIGHT), (floor, floor))
    x, y = (LEFT + RIGHT) / 2, floor + 18
    yield f'<text x="{x}" y="{y}" text-anchor="middle">probability of the answer</text>'


def _short(count: int) -> str:
    """As many digits as a bar is wide."""
    return f"{count}" if count < 1000 else scale.short(float(f"{count:.2g}"))


def _place(one: Bin, frame: Frame) -> tuple[float, float]:
    """The left end of a bin's bar, and its width."""
    left, right = frame.across(one.lower), frame.across(one.upper)
    return left + 1, right - left - 2


def _span(one: Bin) -> str:
    return f"{one.lower:.2f} to {one.upper:.2f}"


def _told(calibration: Calibration) -> str:
    bins = "; ".join(
        f"confidence {one.confidence:.2f}: accuracy {one.accuracy:.2f}, {one.count:,} examples"
        for one in calibration.bins
    )
    return f"Accuracy by confidence. {bins}."
