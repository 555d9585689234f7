"""Axes: where values lie in a picture, which of them are labelled, and how numbers are said."""

import dataclasses
import math

SMALLEST = 1e-300
"""What is nearer together is one value: its steps would be no numbers."""
STEPS = (1.0, 2.0, 2.5, 5.0, 10.0)
DIGITS = 4
SHORT = ((1e12, "T"), (1e9, "B"), (1e6, "M"), (1e3, "k"))


@dataclasses.dataclass(frozen=True, slots=True)
class Scale:
    """From `low` to `high`, on a ruler or on a slide rule."""

    low: float
    high: float
    ticks: tuple[float, ...]
    log: bool = False

    def share(self, value: float) -> float:
        """How far along a value lies: 0 at the low end, 1 at the high one."""
        if self.log:
            return math.log(value / self.low) / math.log(self.high / self.low)
        return (value - self.low) / (self.high - self.low)


def linear(low: float, high: float, *, most: int = 6) -> Scale:
    """A ruler that ends at round numbers and has at most so many of them."""
    if high - low < SMALLEST:
        low, high = (low - 1, high + 1) if low else (0.0, 1.0)
    step = _round_step((high - low) / (most - 1))
    first, last = math.floor(low / step + 1e-9), math.ceil(high / step - 1e-9)
    ticks = tuple(step * number for number in range(first, last + 1))
    return Scale(ticks[0], ticks[-1], ticks)


def exact(low: float, high: float, *, most: int = 7) -> Scale:
    """A ruler that ends where the values end, labelled at round numbers within."""
    if high - low < SMALLEST:
        return Scale(low, low + 1, (low,))
    step = _round_step((high - low) / (most - 1))
    first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
    return Scale(low, high, tuple(step * number for number in range(first, last + 1)))


def logarithmic(low: float, high: float) -> Scale:
    """A slide rule over whole powers of ten, or over 1, 2, 5 where it is short."""
    first, last = math.floor(math.log10(low)), math.ceil(math.log10(high))
    last = max(last, first + 1)
    every = max(1, -(-(last - first) // 5))
    ticks = [10.0**power for power in range(first, last + 1, every)]
    if last - first <= 2:
        ticks = sorted(ticks + [m * 10.0**p for p in range(first, last) for m in (2, 5)])
        low = max(tick for tick in ticks if tick <= low * (1 + 1e-9))
        high = min(tick for tick in ticks if tick >= high * (1 - 1e-9))
        ticks = [tick for tick in ticks if low <= tick <= high]
        return Scale(low, high if high > low else low * 10, tuple(ticks), log=True)
    return Scale(10.0**first, 10.0**last, tuple(ticks), log=True)


def said(value: float) -> str:
    """A number with four digits that count; page.js says numbers in the same way."""
    if not math.isfinite(value):
        return str(value)
    size = abs(value)
    if size and (size < 1e-3 or size >= 1e15):
        mantissa, _, power = f"{value:.{DIGITS - 1}e}".partition("e")
        return f"{_trimmed(mantissa)}e{int(power)}"
    places = max(0, DIGITS - 1 - math.floor(math.log10(size))) if size else 0
    return _trimmed(f"{value:,.{places}f}")


def short(value: float) -> str:
    """A number for the edge of a picture: 20k, 1.5M."""
    for size, letter in SHORT:
        if abs(value) >= size:
            return f"{value / size:.4g}{letter}"
    return said(float(f"{value:.6g}"))


def _round_step(least: float) -> float:
    power = 10.0 ** math.floor(math.log10(least))
    return next(step * power for step in STEPS if step * power >= least * (1 - 1e-9))


def _trimmed(digits: str) -> str:
    return digits.rstrip("0").rstrip(".") if "." in digits else digits
