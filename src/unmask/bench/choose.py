"""Find the fastest runtime, streams and batches for a model on this machine, and keep them."""

import dataclasses
import datetime
from collections.abc import Iterator
from typing import Any

import numpy as np

from unmask.bench.config import BenchConfig
from unmask.bench.measure import Entrant, Protocol, Task, measured
from unmask.bench.ours import Ours
from unmask.bench.records import Missing, Record
from unmask.bench.stats import Floats
from unmask.bench.workloads import SENTENCES, Case, cases, ragged
from unmask.core import engine as machine_engine
from unmask.core import files, machine
from unmask.core.errors import UserError
from unmask.core.progress import say
from unmask.infer.backend import facts, runtimes
from unmask.infer.choice import CHOICE_FILE, FORMAT, Setting, fingerprint
from unmask.infer.engine_config import EngineConfig, Runtime
from unmask.model import weights

BATCH_TOKENS = (128, 256, 512, 1024)
MANY, SINGLE = "many", "single"


@dataclasses.dataclass(frozen=True, slots=True)
class Tried:
    """One setting at one kind of work."""

    work: str
    """many, single, or a shape."""
    setting: Setting
    sentences_per_s: float
    p50_ms: float


def run(config: BenchConfig) -> dict[str, Any]:
    """Try every setting; write choice.json into the model folder and return what it holds."""
    tried = list(_tried(config))
    if not tried:
        raise UserError(
            f"{config.model}: no runtime could run it", "see the reasons above, and unmask doctor"
        )
    table = chosen_table(tried, config.engine.threads or machine_engine.cores())
    files.write_json(config.model / CHOICE_FILE, table)
    for name in (MANY, SINGLE):
        best = table[name]
        say(
            f"{name}: {best['runtime']}, streams {best['streams']}, "
            f"batches of {best['batch_tokens']} tokens"
        )
    say(f"{config.model / CHOICE_FILE}: written")
    return table


def chosen_table(tried: list[Tried], threads: int) -> dict[str, Any]:
    """What choice.json holds: the best setting by kind of work, and everything that was tried."""
    works = list(dict.fromkeys(one.work for one in tried))
    shapes = [work for work in works if work not in (MANY, SINGLE)]
    return {
        "format": FORMAT,
        "machine": fingerprint(),
        "threads": threads,
        "versions": machine.versions(),
        "made": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        MANY: dataclasses.asdict(best(tried, MANY).setting),
        SINGLE: dataclasses.asdict(best(tried, SINGLE).setting),
        "shapes": {work: dataclasses.asdict(best(tried, work)) for work in shapes},
        "tried": [dataclasses.asdict(one) for one in tried],
    }


def best(tried: list[Tried], work: str) -> Tried:
    """The shortest median latency for a single text, else the most sentences a second."""
    some = [one for one in tried if one.work == work]
    if work == SINGLE:
        return min(some, key=lambda one: one.p50_ms)
    return max(some, key=lambda one: one.sentences_per_s)


def ladder(cores: int) -> list[int]:
    """Numbers of streams to try: powers of two, and all cores."""
    return sorted({*(1 << power for power in range(cores.bit_length())), cores})


def _tried(config: BenchConfig) -> Iterator[Tried]:
    model = weights.read_config(config.model)
    threads = config.engine.threads or machine_engine.cores()
    shapes = [case for case in cases(config) if not case.ragged]
    if not config.batch and not config.length:
        shapes = []
    one = ragged(config, 1, model)
    many = ragged(config, config.ragged or SENTENCES, model)
    for runtime in runtimes(config.model):
        for streams in [1] if runtime == "torch" else ladder(threads):
            yield from _at(config, runtime, streams, threads, shapes, one, many)


def _at(
    config: BenchConfig,
    runtime: Runtime,
    streams: int,
    threads: int,
    shapes: list[Case],
    one: Case,
    many: Case,
) -> Iterator[Tried]:
    """Try a runtime with so many streams: batches of sentences, then single texts and shapes."""
    engine = EngineConfig(runtime=runtime, threads=threads, streams=streams)
    found = list[Tried]()
    shape = facts(config.model).get("shape")
    for batch_tokens in BATCH_TOKENS if shape is None else (shape[0] * shape[1],):
        some = dataclasses.replace(engine, batch_tokens=batch_tokens)
        for record in _measured(config, some, [many], clients=None, is_ragged=True):
            found.append(_told(MANY, Setting(runtime, streams, batch_tokens), record))
    yield from found
    if not found:  # it does not run here, and has said why
        return
    fixed = Setting(runtime, streams, best(found, MANY).setting.batch_tokens)
    some = dataclasses.replace(engine, batch_tokens=fixed.batch_tokens)
    for record in _measured(config, some, [one], clients=1, is_ragged=False):
        yield _told(SINGLE, fixed, record)
    if shapes:
        for record in _measured(config, some, shapes, clients=None, is_ragged=False):
            yield _told(record.case, fixed, record)


def _measured(
    config: BenchConfig,
    engine: EngineConfig,
    some: list[Case],
    *,
    clients: int | None,
    is_ragged: bool,
) -> list[Record]:
    protocol = Protocol(
        clients=clients, seconds=config.seconds, warmup=config.warmup, rounds=config.rounds
    )
    name = f"{engine.runtime}, streams {engine.streams}"
    ours = Ours(model=config.model, engine=engine, many=True, ragged=is_ragged)
    tasks = [Task(case, _sentences(case)) for case in some]
    found = list(measured([Entrant(name, ours)], tasks, protocol, lambda _: None))
    return [one for one in found if not isinstance(one, Missing)]


def _told(work: str, setting: Setting, record: Record) -> Tried:
    return Tried(work, setting, record.sentences_per_s.median, record.latency_ms["p50"].median)


def _sentences(case: Case) -> Floats:
    """Sentences and tokens of each input; operations are nobody's question here."""
    return np.array([(len(one), one.lengths_N.sum(), 0) for one in case.inputs], np.float64)
