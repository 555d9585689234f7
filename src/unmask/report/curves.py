"""Curves of what a run measured, over its steps."""

import numpy as np
import numpy.typing as npt

from unmask.report.chart import Chart, Curve
from unmask.report.history import History, Track

GONE_SHOWN = 20
"""Parts that were trained again, at most."""


def measured(track: Track, name: str, label: str, look: str, times: float = 1.0) -> Curve | None:
    """The live values of a column; None if there are none."""
    live = known(track, name)
    if not live.any():
        return None
    return Curve(label, track.steps()[live], track.column(name)[live] * times, look)


def known(track: Track, name: str) -> npt.NDArray[np.bool_]:
    """Which rows have a value that counts."""
    return np.isfinite(track.column(name))


def taken_back(track: Track) -> list[Curve]:
    """The losses of what a run that went back had trained, faintly."""
    gone, steps, loss = track.gone(), track.steps(), track.everything("loss")
    # The run may have gone back from what is gone by now, too: no piece goes back within.
    cuts = (np.diff(gone.astype(np.int8)) != 0) | (np.diff(steps) <= 0)
    pieces = np.split(np.arange(len(track)), np.flatnonzero(cuts) + 1)
    return [
        Curve("gone", steps[piece], loss[piece], "a", beside=True)
        for piece in pieces
        if len(piece) and gone[piece[0]] and np.isfinite(loss[piece]).any()
    ][-GONE_SHOWN:]


def by_step(history: History, title: str, *curves: Curve, about: str, unit: str = "") -> Chart:
    """A chart whose x axis is that of all pictures of the run over its steps."""
    return Chart(
        title=title,
        curves=curves,
        across="steps",
        about=about,
        unit=unit,
        x_range=reach(history),
    )


def reach(history: History) -> tuple[float, float]:
    """Where the steps begin and end."""
    ends = [track.steps().max() for track in history.tracks if len(track)]
    return 0.0, max(1.0, *map(float, ends))
