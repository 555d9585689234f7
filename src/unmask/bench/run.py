"""`unmask bench`: a model in, its speed on this machine out, as JSON on stdout."""

import dataclasses
import datetime
import functools
import json
import shlex
import sys
import tempfile
from pathlib import Path
from typing import Literal

from unmask.bench import choose, page, peaks, table
from unmask.bench.config import BenchConfig
from unmask.bench.measure import Entrant, Peak, Protocol, Task, measured
from unmask.bench.npz import dump, source
from unmask.bench.ours import Ours
from unmask.bench.peers import entrants as peers
from unmask.bench.records import Bench, Missing, Record
from unmask.bench.work import COUNTED, work
from unmask.bench.workloads import Case, cases
from unmask.core import engine as machine_engine
from unmask.core import files, machine
from unmask.core.errors import UserError
from unmask.core.progress import say
from unmask.infer.backend import runtimes, weights_sha256
from unmask.infer.engine_config import EngineConfig
from unmask.infer.folders import made
from unmask.model import weights
from unmask.model.heads import MaskedLM
from unmask.train.precision import resolve_device

OURS = "unmask"
DeviceName = Literal["cpu", "cuda"]


def run(config: BenchConfig) -> None:
    """Measure, choose, or write and run files of inputs, as the settings say."""
    runtimes(config.model)  # UserError for a folder that holds no model
    model_sha256 = weights_sha256(config.model)  # UserError for one without weights
    if config.dump is not None:
        dump.run(config, config.dump[1])
    elif config.from_ is not None:
        source.run(config, config.from_[1])
    elif config.choose:
        _refuse_card(config)
        sys.stdout.write(json.dumps(choose.run(config)) + "\n")
    else:
        if config.out is not None:
            made(config.out)
        _measure_and_report(config, model_sha256)


def _measure_and_report(config: BenchConfig, model_sha256: str) -> None:
    """Measure everything that is asked for, and report it; a run that is stopped, what it has."""
    threads = (shared(config).threads or 1) * config.instances
    device = computing(config)
    peak = functools.cache(lambda name: peaks.peak(name, threads, device))
    found = list[Record | Missing]()
    try:
        _measure(config, threads, peak, found)
    except KeyboardInterrupt:
        if any(isinstance(one, Record) for one in found):
            say("stopped: this is what was measured until then")
            _report(config, _bench(config, model_sha256, threads, peak, found))
        raise
    _report(config, _bench(config, model_sha256, threads, peak, found))


def _measure(config: BenchConfig, threads: int, peak: Peak, found: list[Record | Missing]) -> None:
    """Append every record as it comes."""
    engine, folder = shared(config), peers.peers_model(config)
    tasks = [_task(config, case) for case in cases(config)]
    protocol = Protocol(
        instances=config.instances,
        clients=config.clients,
        rate=config.rate,
        seconds=config.seconds,
        warmup=config.warmup,
        rounds=config.rounds,
        seed=config.seed,
    )
    with tempfile.TemporaryDirectory() as name:
        scratch = Path(name)
        ready, reasons = (
            peers.prepared(peers.chosen(config), folder, scratch) if folder else ([], {})
        )
        found += peers.missing(reasons, tasks)
        for ragged in (False, True):
            some = [task for task in tasks if task.case.ragged == ragged]
            if not some:
                continue
            sides = [Entrant(OURS, _ours(config, engine, ragged=ragged))]
            if folder:
                sides += peers.entrants(ready, folder, scratch, threads, ragged=ragged)
            found += measured(sides, some, protocol, peak)


def shared(config: BenchConfig) -> EngineConfig:
    """The settings of one process, which has its share of the threads.

    UserError where there are more batches at once than threads.
    """
    cores = machine_engine.cores()
    threads = config.engine.threads or cores
    streams = config.engine.streams or 1
    if config.instances * streams > threads:
        raise UserError(
            f"--instances {config.instances} of --engine.streams {streams}: more batches at once "
            f"than {threads} threads",
            "give every stream a thread at least",
        )
    return dataclasses.replace(config.engine, threads=threads // config.instances)


def computing(config: BenchConfig) -> DeviceName:
    """Where torch computes, and the other runtimes on the processor.

    UserError for peers beside a model on a card: they are measured on the processor.
    """
    if runtimes(config.model) != ("torch",) or resolve_device(config.engine.device).type == "cpu":
        return "cpu"
    if config.peers or config.peers_only:
        raise UserError(
            f"--peers with --engine.device {config.engine.device}: peers run on the processor, "
            "and the model would run on a card",
            "give --engine.device cpu",
        )
    return "cuda"


def _refuse_card(config: BenchConfig) -> None:
    """What is tried are batches for processors, which would be far too small for a card."""
    if computing(config) != "cpu":
        raise UserError(
            f"--choose: {config.model} runs on a card here, and what is looked for are streams and "
            "batches of a processor",
            "leave it out, or hide the card: CUDA_VISIBLE_DEVICES= unmask bench --choose ...",
        )


def _ours(config: BenchConfig, engine: EngineConfig, *, ragged: bool) -> Ours:
    return Ours(model=config.model, engine=engine, many=ragged or not config.alone, ragged=ragged)


def _task(config: BenchConfig, case: Case) -> Task:
    model = weights.read_config(config.model)
    language_model = weights.head_of(config.model) is MaskedLM
    return Task(case, work(case, model, language_model=language_model))


def _bench(
    config: BenchConfig,
    model_sha256: str,
    threads: int,
    peak: Peak,
    found: list[Record | Missing],
) -> Bench:
    records = tuple(one for one in found if isinstance(one, Record))
    formats = dict.fromkeys(record.number_format for record in records)
    measured_peaks = {name: peak(name) for name in formats}
    return Bench(
        model=str(config.model),
        model_sha256=model_sha256,
        parameters=weights.read_config(config.model).parameters(),
        command=shlex.join(["unmask", *sys.argv[1:]]),
        made=datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        threads=threads,
        instances=config.instances,
        seconds=config.seconds,
        warmup=config.warmup,
        rounds=config.rounds,
        peaks={name: value for name, value in measured_peaks.items() if value is not None},
        counted=COUNTED,
        machine=machine.describe(),
        records=records,
        missing=tuple(one for one in found if isinstance(one, Missing)),
    )


def _report(config: BenchConfig, found: Bench) -> None:
    """JSON to stdout, a table to stderr, and all reports to --out."""
    say(table.plain(found.records))
    for one in found.missing:
        say(f"{one.engine} did not run {one.case}: {one.reason}")
    if config.out is not None:
        config.out.mkdir(parents=True, exist_ok=True)
        files.write_json(config.out / "bench.json", found.to_json())
        files.write_text(config.out / "bench.md", table.markdown(found))
        files.write_text(config.out / "bench.html", page.page(found))
        say(f"{config.out}: bench.json, bench.md, bench.html")
    sys.stdout.write(json.dumps(found.to_json()) + "\n")
    if not found.records:
        reasons = found.missing[0].reason if found.missing else "nothing was asked for"
        raise UserError(f"{config.model}: nothing could be measured: {reasons}", "see above")
