"""Cases by engines, round by round in turns.

Legend: Q different inputs, W kinds of work (sentences, tokens, operations).
"""

import dataclasses
import statistics
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack

import numpy as np

from unmask.bench.counting import Round, counted
from unmask.bench.loops import Load, poisson
from unmask.bench.records import Missing, Record
from unmask.bench.sides import EngineError, Side
from unmask.bench.stats import Floats, Spread, latencies
from unmask.bench.worker import Loaded, Opening, reason
from unmask.bench.workloads import Case
from unmask.core.errors import UserError
from unmask.core.progress import Bar, bar, say


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class Protocol:
    """How every engine is asked."""

    instances: int = 1
    clients: int | None = None
    """Closed loop: callers of all processes; None: one for each batch computed at once."""
    rate: float | None = None
    """Open loop: requests a second to all processes."""
    seconds: float
    warmup: float
    rounds: int
    seed: int = 0

    def loads(self, number: int) -> list[Load]:
        """What each process is asked for in a round.

        Requests of an open loop are dealt to the processes at random, which makes a Poisson
        process of each (thinning); clients are shared out evenly.
        """
        if self.rate is not None:
            share = self.rate / self.instances
            return [
                Load(
                    seconds=self.seconds,
                    due_R=poisson(share, self.seconds, (self.seed, number, instance)),
                )
                for instance in range(self.instances)
            ]
        if self.clients is None:
            return [Load(seconds=self.seconds)] * self.instances
        each, more = divmod(self.clients, self.instances)
        return [
            Load(seconds=self.seconds, callers=each + (instance < more))
            for instance in range(self.instances)
        ]

    def told(self, slots: int) -> str:
        """Who asks, in words."""
        if self.rate is not None:
            return f"{self.rate:g} requests/s, Poisson"
        callers = self.clients or slots * self.instances
        return "1 caller that waits" if callers == 1 else f"{callers} callers that wait"


@dataclasses.dataclass(frozen=True, slots=True)
class Entrant:
    """An engine that takes part, under this name."""

    name: str
    opening: Opening


@dataclasses.dataclass(frozen=True, slots=True)
class Task:
    """A case, and the work of its inputs: sentences, tokens, operations, (Q, 3)."""

    case: Case
    work_QW: Floats


Peak = Callable[[str], float | None]
"""Operations a second of the best matrix product in a number format."""


def measured(
    entrants: Sequence[Entrant], tasks: Sequence[Task], protocol: Protocol, peak: Peak
) -> Iterator[Record | Missing]:
    """Load every engine, then measure case by case, all engines in turns in each round.

    An engine that fails is told as missing, with its reason, and the others go on.
    """
    with ExitStack() as living:
        total = len(entrants) * (1 + len(tasks) * (protocol.rounds + 1))
        progress = living.enter_context(bar("bench", total))
        sides = dict[str, tuple[Side, Loaded]]()
        for entrant in entrants:
            try:
                side = living.enter_context(Side(entrant.opening, protocol.instances))
                sides[entrant.name] = side, side.loaded()
            except EngineError as error:
                yield _missing(entrant.name, tasks, str(error))
            progress.advance(note=entrant.name)
        peaks = {loaded.number_format: peak(loaded.number_format) for _, loaded in sides.values()}
        for place in range(len(tasks)):
            yield from _case(sides, tasks[place:], protocol, peaks, progress)


def _missing(name: str, tasks: Sequence[Task], told: str) -> Missing:
    say(f"{name}: {told}")
    return Missing(name, ", ".join(task.case.name for task in tasks), told)


def _case(
    sides: dict[str, tuple[Side, Loaded]],
    tasks: Sequence[Task],
    protocol: Protocol,
    peaks: dict[str, float | None],
    progress: Bar,
) -> Iterator[Record | Missing]:
    """Measure the first case; an engine that fails is missing in the later ones, too."""
    task = tasks[0]
    warmed, memory, rounds = dict[str, float](), dict[str, int](), dict[str, list[Round]]()
    seconds = protocol.seconds if protocol.rate is not None else None
    for number in range(-1, protocol.rounds):
        for name, (side, _) in list(sides.items()):
            try:
                if number < 0:
                    warmed[name] = side.warm(task.case.inputs, protocol.warmup)
                else:
                    logs = side.round(protocol.loads(number))
                    one = counted(logs, task.work_QW, seconds)
                    rounds.setdefault(name, []).append(one)
                    memory[name] = side.peak()
            except (EngineError, UserError) as error:
                told = str(error) if isinstance(error, EngineError) else reason(error)
                yield _missing(name, tasks, told)
                del sides[name]
            progress.advance(note=f"{task.case.name}: {name}")
    for name, (_, loaded) in sides.items():
        yield _record(
            name, loaded, task.case, protocol, rounds[name], warmed[name], memory[name], peaks
        )


def _record(
    name: str,
    loaded: Loaded,
    case: Case,
    protocol: Protocol,
    rounds: Sequence[Round],
    warmup_s: float,
    peak_bytes: int,
    peaks: dict[str, float | None],
) -> Record:
    work_RW = np.stack([one.work_W for one in rounds])
    told = [latencies(one.latency_R) for one in rounds]
    peak = peaks[loaded.number_format]
    operations = statistics.median(work_RW[:, 2].tolist())
    return Record(
        engine=name,
        runtime=loaded.name,
        number_format=loaded.number_format,
        case=case.name,
        batch=case.batch,
        load=protocol.told(loaded.slots),
        sentences_per_s=Spread.of(work_RW[:, 0].tolist()),
        tokens_per_s=Spread.of(work_RW[:, 1].tolist()),
        latency_ms={key: Spread.of([one[key] for one in told]) for key in told[0]},
        requests=sum(len(one.latency_R) for one in rounds),
        unanswered=sum(one.unanswered for one in rounds),
        peak_share=operations / peak if peak else None,
        peak_bytes=peak_bytes,
        load_s=loaded.seconds,
        warmup_s=warmup_s,
    )
