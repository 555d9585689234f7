"""Callers: some that wait for their answers, and some that come whatever happens.

What is counted afterwards are plain logs of when each request came, began and ended, on the clock
that all processes of a machine share (time.perf_counter).

Legend: R requests.
"""

import dataclasses
import itertools
import time
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from threading import Lock
from typing import NamedTuple, Protocol

import numpy as np

from unmask.bench.stats import Floats

Answer = Callable[[int], None]
"""Computes the request of this number, and returns when it is answered."""

PATIENCE = 1.0
"""An open loop that falls behind is followed for so many times its length; what is not answered
then counts as answered at that moment, which is a lower bound."""


class Clock(Protocol):
    """Time, which a test may make up."""

    def now(self) -> float:
        """Seconds."""

    def sleep(self, seconds: float) -> None:
        """Let time pass."""


class RealClock:
    """The clock that all processes of a machine share."""

    def now(self) -> float:
        """Seconds since some moment."""
        return time.perf_counter()

    def sleep(self, seconds: float) -> None:
        """Wait."""
        time.sleep(seconds)


class Entry(NamedTuple):
    """One request; times in seconds on the common clock."""

    request: int
    """Number of its input."""
    slot: int
    """Which of the engine's places computed it."""
    due: float
    """When it came; latency counts from here."""
    begun: float
    """When a place of the engine took it."""
    ended: float
    answered: bool = True


class Log(NamedTuple):
    """One process's round."""

    begin: float
    entries: list[Entry]


class Line:
    """Those who wait for one of several places, served in the order in which they came.

    A lock or a semaphore would let the caller that has just been answered in again before those
    who wait, and the percentiles would tell of the interpreter's threads.
    """

    def __init__(self, slots: int) -> None:
        self._free = deque(range(slots))
        self._waiting: deque[Future[int]] = deque()
        self._lock = Lock()

    @contextmanager
    def place(self) -> Iterator[int]:
        """Wait for a place and give its number; leave it at the end of the block."""
        mine: Future[int] = Future()
        with self._lock:
            if self._free:
                mine.set_result(self._free.popleft())
            else:
                self._waiting.append(mine)
        slot = mine.result()
        try:
            yield slot
        finally:
            with self._lock:
                if self._waiting:
                    self._waiting.popleft().set_result(slot)
                else:
                    self._free.appendleft(slot)  # so that few callers keep to few places


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class Load:
    """What a process is asked for in one round."""

    seconds: float
    callers: int | None = None
    """Closed loop: how many; None: one for each batch that is computed at once."""
    due_R: Floats | None = None
    """Open loop: when requests come, in seconds from the beginning, ascending."""


def run(answer: Answer, inputs: int, slots: int, load: Load, clock: Clock | None = None) -> Log:
    """Send requests for one round; they go round the inputs, beginning with the first.

    The engine computes `slots` of them at once, the others wait in line.
    """
    clock = clock or RealClock()
    begin = clock.now()
    if load.due_R is not None:
        due_R = begin + load.due_R
        limit = begin + (1 + PATIENCE) * load.seconds
        return Log(begin, _open(answer, inputs, slots, due_R.tolist(), limit, clock))
    return Log(begin, _closed(answer, inputs, slots, load, clock))


def poisson(rate: float, seconds: float, seed: tuple[int, ...]) -> Floats:
    """Draw when requests come: gaps are exponential, with a mean of 1 / rate; never none."""
    dice = np.random.default_rng(seed)
    gaps_R = dice.exponential(1 / rate, int(rate * seconds + 10 * (rate * seconds) ** 0.5) + 10)
    due_R = gaps_R.cumsum()
    within_R: Floats = due_R[due_R < seconds]
    return within_R if len(within_R) else np.zeros(1)


def _closed(answer: Answer, inputs: int, slots: int, load: Load, clock: Clock) -> list[Entry]:
    numbers, line = itertools.count(), Line(slots)
    end = clock.now() + load.seconds
    callers, taken = load.callers or slots, set[int]()
    places = min(callers, slots)

    def caller(_: int) -> list[Entry]:
        entries: list[Entry] = []
        together = False
        while not together or clock.now() < end:
            request, due = next(numbers) % inputs, clock.now()
            with line.place() as slot:
                taken.add(slot)
                together = len(taken) >= places  # nobody stops before the last one has begun
                begun = clock.now()
                answer(request)
                ended = clock.now()
            entries.append(Entry(request, slot, due, begun, ended))
        return entries

    return _together(caller, callers)


def _open(
    answer: Answer, inputs: int, slots: int, due_R: list[float], limit: float, clock: Clock
) -> list[Entry]:
    line = itertools.count()

    def server(slot: int) -> list[Entry]:
        entries: list[Entry] = []
        while (number := next(line)) < len(due_R):
            due, request = due_R[number], number % inputs
            if (now := clock.now()) < due:
                clock.sleep(due - now)
            begun = clock.now()
            if begun > limit:
                entries.append(Entry(request, slot, due, limit, limit, answered=False))
                continue
            answer(request)
            entries.append(Entry(request, slot, due, begun, clock.now()))
        return entries

    return _together(server, slots)


def _together(caller: Callable[[int], list[Entry]], count: int) -> list[Entry]:
    """Run callers at the same time; one alone needs no thread."""
    if count == 1:
        return caller(0)
    with ThreadPoolExecutor(count) as pool:
        return [entry for entries in pool.map(caller, range(count)) for entry in entries]
