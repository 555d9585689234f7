"""How often numbers of what size were seen, in constant memory.

Legend: N bins.
"""

import dataclasses
import math

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

BINS = 8192
"""So many that a step of 8 bits over all that was seen is eight bins wide or more."""
LEAST_TOP = 2.0**-100
"""Bins of smaller numbers would be no numbers of 32 bits."""

Ints = npt.NDArray[np.int64]
Doubles = npt.NDArray[np.float64]


@dataclasses.dataclass(frozen=True, slots=True)
class Histogram:
    """Counts of BINS equal bins from -top to top.

    top is a power of two: when it doubles, two neighbouring bins become one, and no number is
    counted in another bin than before. So the order in which numbers came does not matter.
    """

    top: float
    """0 as long as nothing but 0 was seen."""
    counts_N: Ints

    @classmethod
    def empty(cls) -> "Histogram":
        """Nothing was seen yet."""
        return cls(0.0, np.zeros(BINS, np.int64))

    def added(self, values: Tensor) -> "Histogram":
        """Count some more numbers, of any shape; they have to be finite."""
        largest = float(values.abs().max()) if values.numel() else 0.0
        grown = self._up_to(max(self.top, _power_of_two(largest)))
        half = BINS // 2
        per_unit = half / grown.top if grown.top else 0.0
        # The scale is a power of two: no number is rounded into another bin. The last is closed.
        places = (values.flatten().float() * per_unit).floor().clamp(max=half - 1)
        counts_N = torch.bincount(places.to(torch.int32) + half, minlength=BINS)
        return Histogram(grown.top, grown.counts_N + counts_N.cpu().numpy())

    def coarse(self, bins: int) -> "Histogram":
        """The same in fewer bins, a divisor of their number."""
        return Histogram(self.top, self.counts_N.reshape(bins, -1).sum(1))

    @property
    def edges_N1(self) -> Doubles:  # noqa: N802
        """Where bins begin, and where the last one ends."""
        bins = len(self.counts_N)
        return np.linspace(-self.top, self.top, bins + 1)

    def _up_to(self, top: float) -> "Histogram":
        """The same with another top, no smaller than before."""
        counts_N, now = self.counts_N, self.top
        while 0 < now < top:
            inner_N = counts_N.reshape(-1, 2).sum(1)
            counts_N = np.pad(inner_N, BINS // 4)
            now *= 2
        return Histogram(top, counts_N)


def _power_of_two(number: float) -> float:
    """The least one that is not below the number; 0 for 0."""
    if number == 0:
        return 0.0
    mantissa, exponent = math.frexp(number)
    return max(math.ldexp(1.0, exponent - (mantissa == 0.5)), LEAST_TOP)
