"""Histograms as SVG, drawn in the colours of the page around them."""

from html import escape

from unmask.inspect.look import Bin, Histogram

WIDTH, HEIGHT = 360, 168
FLOOR = 144
"""Where the bars stand; the lengths stand below."""
TOP = 18
GAP = 2
LABELS = 6


def svg(histogram: Histogram) -> str:
    """Draw one; a bar that stands for anything is at least two units high."""
    most = max(bin_.count for bin_ in histogram.bins)
    pitch = WIDTH / len(histogram.bins)
    # A few bars are as wide as many: wide bars look like something else than a histogram.
    width = min(pitch, 48.0) - GAP
    every = -(-len(histogram.bins) // LABELS)
    parts = []
    for number, bin_ in enumerate(histogram.bins):
        middle = (number + 0.5) * pitch
        parts.append(_bar(bin_, histogram, middle, width, bin_.count / most))
        if number % every == 0:
            parts.append(
                f'<text x="{middle:.1f}" y="{FLOOR + 17}" text-anchor="middle">{_low(bin_)}</text>'
            )
    label = escape(f"Tokens of {histogram.title}: {histogram.said}")
    return (
        f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{label}">'
        f"{''.join(parts)}"
        f'<line x1="0" x2="{WIDTH}" y1="{FLOOR}" y2="{FLOOR}"/></svg>'
    )


def _bar(bin_: Bin, histogram: Histogram, middle: float, width: float, share: float) -> str:
    height = max(share * (FLOOR - TOP), 2.0 if bin_.count else 0.0)
    said = f"{bin_.span} tokens: {bin_.count:,} {histogram.title}"
    of_all = bin_.count / histogram.count
    return (
        f'<rect x="{middle - width / 2:.1f}" y="{FLOOR - height:.1f}" width="{width:.1f}" '
        f'height="{height:.1f}" rx="1.5"><title>{said} ({of_all:.1%})</title></rect>'
    )


def _low(bin_: Bin) -> str:
    """The shortest length of a bin, short: powers of two from 1,024 on as 1k."""
    return f"{bin_.low >> 10}k" if bin_.low >= 1024 and bin_.low % 1024 == 0 else str(bin_.low)
