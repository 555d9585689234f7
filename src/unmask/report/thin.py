"""Fewer points for the same picture."""

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

COLUMNS = 280
"""Parts of the width, each about two pixels wide on a wide screen."""


def thinned(x_N: Floats, y_N: Floats) -> npt.NDArray[np.int64]:
    """Choose which points to draw: of each column its first, last, lowest and highest one.

    A line through them covers the same pixels as a line through all (M4: Jugel et al. 2014), and
    no extreme is lost. x_N must not fall. Values that are no finite number are left out.
    """
    known = np.flatnonzero(np.isfinite(y_N))
    if len(known) <= 4 * COLUMNS:
        return known
    x, y = x_N[known], y_N[known]
    width = (x[-1] - x[0]) / COLUMNS or 1.0
    column = np.minimum((x - x[0]) // width, COLUMNS - 1)
    kept = set[int]()
    for part in np.split(np.arange(len(x)), np.flatnonzero(np.diff(column)) + 1):
        of_part = y[part]
        kept |= {part[0], part[of_part.argmin()], part[of_part.argmax()], part[-1]}
    chosen: npt.NDArray[np.int64] = known[np.array(sorted(kept))]
    return chosen
