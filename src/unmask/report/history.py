"""What a run wrote down, sorted into tracks: one for each kind of row.

A run that went back (it was killed, rolled back, or begun anew) writes some steps twice. What was
written first is `gone`: it is kept, as its time was spent, and no curve goes through it.
"""

import dataclasses
from array import array
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from unmask.core.rows import numbers
from unmask.report.thin import Floats

EVENTS = ("resume", "rollback", "restart", "stop")


@dataclasses.dataclass(frozen=True, slots=True)
class Event:
    """Something that happened to the run itself."""

    kind: str
    """resume, rollback, restart, stop, or skipped (steps left out)."""
    step: int
    hours: float
    said: str


class Track:
    """The rows of one kind, column by column."""

    def __init__(self) -> None:
        self._steps, self._hours, self._gone = array("q"), array("d"), bytearray()
        self._columns: dict[str, array[float]] = {}

    def __len__(self) -> int:
        return len(self._steps)

    def add(self, row: Mapping[str, Any], hours: float) -> None:
        """Take in a row; what lies at or after its step is gone."""
        self.leave(int(row["step"]) - 1)
        for name, value in numbers(row):
            if name not in self._columns:
                self._columns[name] = array("d", [np.nan]) * len(self._steps)
            self._columns[name].append(value)
        self._steps.append(int(row["step"]))
        self._hours.append(hours)
        self._gone.append(0)
        for column in self._columns.values():
            if len(column) < len(self._steps):
                column.append(np.nan)

    def leave(self, step: int) -> None:
        """Mark what lies after a step as gone."""
        for at in range(len(self._steps) - 1, -1, -1):
            if not self._gone[at]:
                if self._steps[at] <= step:
                    return
                self._gone[at] = 1

    @property
    def names(self) -> list[str]:
        """What was measured, in the order in which it was first seen."""
        return list(self._columns)

    def steps(self) -> Floats:
        """The step of each row."""
        return np.array(self._steps, dtype=np.float64)

    def hours(self) -> Floats:
        """The hours that the run had been going on."""
        return np.array(self._hours, dtype=np.float64)

    def gone(self) -> npt.NDArray[np.bool_]:
        """Which rows were written again later."""
        return np.array(self._gone, dtype=np.bool_)

    def column(self, name: str) -> Floats:
        """One measurement; NaN where it was not made, or where its row is gone."""
        return np.where(self.gone(), np.nan, self.everything(name))

    def everything(self, name: str) -> Floats:
        """One measurement, with rows that are gone."""
        if name not in self._columns:
            return np.full(len(self), np.nan)
        return np.array(self._columns[name], dtype=np.float64)

    def last(self, name: str) -> float | None:
        """The newest value."""
        found = self.column(name)
        found = found[~np.isnan(found)]
        return float(found[-1]) if len(found) else None


class History:
    """Everything in `metrics.jsonl`."""

    def __init__(self, rows: Iterable[Mapping[str, Any]]) -> None:
        self.train, self.valid, self.activations = Track(), Track(), Track()
        self.dev = Track()
        """Scores along a fine-tuning."""
        self.scores: dict[tuple[str, str], Track] = {}
        """By task and metric."""
        self.events: list[Event] = []
        self.hours = 0.0
        """For how long the run went on, without the time for which it was stopped."""
        self.timed = False
        """Whether rows say when they were written."""
        self.step = 0
        """The step that the run is at."""
        self._time: float | None = None
        for row in rows:
            if "step" in row:
                self._add(row)

    def _add(self, row: Mapping[str, Any]) -> None:
        kind = row.get("kind")
        if kind == "scores":  # written by another process, when the run is further on
            key = str(row.get("task")), str(row.get("metric"))
            self.scores.setdefault(key, Track()).add(row, self.hours)
        elif kind in EVENTS:
            self._tick(row)
            self._event(row)
        elif kind in ("train", "valid", "activations", "dev"):
            self._tick(row)
            track: Track = getattr(self, kind)
            track.add(row, self.hours)
            self.step = int(row["step"])
            if skipped := int(row.get("skipped") or 0):
                said = f"{skipped:,} step{'s' * (skipped > 1)} left out"
                self.events.append(Event("skipped", self.step, self.hours, said))

    def _tick(self, row: Mapping[str, Any]) -> None:
        """Let the clock go on to a row, unless the run stood still before it."""
        time = row.get("time")
        if time is None:
            return
        # A run that was killed before its first checkpoint begins anew without a word.
        stood_still = self._time is None or row["kind"] == "resume" or row["step"] < self.step
        if stood_still or self._time is None:
            rate = row.get("tokens_per_s")
            seconds = row["tokens"] / rate if rate else 0.0
        else:
            seconds = max(0.0, time - self._time)
        self.hours += seconds / 3600
        self._time, self.timed = time, True

    def _event(self, row: Mapping[str, Any]) -> None:
        step, kind = int(row["step"]), str(row["kind"])
        back = 0 if kind == "restart" else int(row.get("to", step))
        said = {
            "resume": f"went on from step {step:,}",
            "rollback": f"went back from step {step:,} to {back:,}",
            "restart": f"began anew after step {step:,}, with another seed",
            "stop": f"stopped at step {step:,} by {row.get('signal', 'request')}",
        }[kind]
        self.events.append(Event(kind, step, self.hours, said))
        for track in self.tracks:
            track.leave(back)
        self.step = back

    @property
    def tracks(self) -> list[Track]:
        """All of them."""
        return [self.train, self.valid, self.activations, self.dev, *self.scores.values()]
