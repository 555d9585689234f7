"""Many measured values in a few numbers.

Legend: N values.
"""

import dataclasses
import statistics
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

PERCENTILES = (50, 90, 99)


@dataclasses.dataclass(frozen=True, slots=True)
class Spread:
    """A number that was measured in several rounds."""

    median: float
    low: float
    high: float

    @classmethod
    def of(cls, values: Sequence[float]) -> "Spread":
        """Of one value a round."""
        return cls(statistics.median(values), min(values), max(values))


def latencies(seconds_N: Floats) -> dict[str, float]:
    """Mean and percentiles in milliseconds, as numpy.percentile interpolates them.

    The P99 of fewer than a hundred values is little more than the slowest; the number of requests
    stands beside it in every report.
    """
    values_N = 1000 * seconds_N
    named = {f"p{rank}": float(np.percentile(values_N, rank)) for rank in PERCENTILES}
    return {"mean": float(values_N.mean()), **named}
