"""What the logs of all processes come to: work in the time that they have in common.

Speeds of processes or callers are never added up: a second counts once, for all of them.

Legend: R requests, Q different inputs, W kinds of work (sentences, tokens, floating-point
operations).
"""

import dataclasses
from collections.abc import Sequence

import numpy as np

from unmask.bench.loops import Log
from unmask.bench.stats import Floats
from unmask.core.errors import UserError


@dataclasses.dataclass(frozen=True, slots=True)
class Round:
    """One round of all processes of an engine."""

    work_W: Floats
    """A second, of each kind."""
    latency_R: Floats
    """Seconds."""
    unanswered: int = 0
    """Requests of an open loop for which the time did not suffice."""


def counted(logs: Sequence[Log], work_QW: Floats, seconds: float | None) -> Round:
    """Count a round; `logs` has one a process, `seconds` is the length of an open loop.

    The common time of a closed loop begins when the last place of an engine has begun and ends
    when the first one has stopped, so that all are at work in all of it; that of an open loop is
    the one in which requests came. A request counts by the share of it that lies within, so that
    long ones count neither twice nor not at all. UserError where there is no common time.
    """
    entries = [entry for log in logs for entry in log.entries]
    begun_R, ended_R, due_R = (
        np.array([getattr(entry, name) for entry in entries]) for name in ("begun", "ended", "due")
    )
    if seconds is None:
        first, last = _all_at_work(logs)
    else:
        first = max(log.begin for log in logs)
        last = min(log.begin for log in logs) + seconds
    if last <= first:
        raise UserError(
            f"rounds that are not at the same time: one stopped {first - last:.3f} s too early",
            "give more --seconds, and leave the machine to the measurement",
        )
    within_R = np.minimum(ended_R, last) - np.maximum(begun_R, first)
    share_R = np.clip(within_R / np.maximum(ended_R - begun_R, 1e-9), 0, 1)
    answered_R = np.array([entry.answered for entry in entries])
    request_R = np.array([entry.request for entry in entries])
    work_W = (share_R * answered_R) @ work_QW[request_R] / (last - first)
    return Round(work_W, ended_R - due_R, int((~answered_R).sum()))


def _all_at_work(logs: Sequence[Log]) -> tuple[float, float]:
    """When the last place of all engines has begun, and when the first one has stopped."""
    begun, ended = dict[tuple[int, int], float](), dict[tuple[int, int], float]()
    for process, log in enumerate(logs):
        for entry in log.entries:
            place = process, entry.slot
            begun[place] = min(begun.get(place, np.inf), entry.begun)
            ended[place] = max(ended.get(place, -np.inf), entry.ended)
    return max(begun.values()), min(ended.values())
