"""Processes that run at the same time, proven with an engine that sleeps."""

import importlib
import sys
import threading
import time

import numpy as np
import pytest

from unmask.bench.counting import counted
from unmask.bench.loops import Load
from unmask.bench.measure import Entrant, Protocol, Task, measured
from unmask.bench.records import Missing
from unmask.bench.sides import EngineError, Side
from unmask.bench.worker import Engine, Worker
from unmask.bench.workloads import Case
from unmask.finetune.sequences import Sequences

STUB = '''
import dataclasses, os, time
from unmask.bench.worker import Engine
from unmask.core.errors import UserError

@dataclasses.dataclass(frozen=True)
class Sleeping:
    """An engine of which every request takes the same time; or what happens instead."""
    service: float = 0.01
    slots: int = 1
    fails: str = ""

    def open(self):
        if self.fails == "loading":
            raise UserError("no such instructions", "buy another processor")
        if self.fails == "dying":
            os._exit(3)
        print("what libraries print")
        return Engine("sleeping fp32", "fp32", self.slots, self.answer)

    def answer(self, sequences):
        if self.fails == "answering":
            raise ValueError("first line\\nsecond line")
        time.sleep(self.service)
'''
SECONDS = 0.3


@pytest.fixture
def sleeping(tmp_path, monkeypatch):
    """The engine, in a module that a spawned process can import."""
    (tmp_path / "sleeping_engine.py").write_text(STUB)
    monkeypatch.syspath_prepend(str(tmp_path))
    yield importlib.import_module("sleeping_engine").Sleeping
    sys.modules.pop("sleeping_engine")


def case(sentences=2):
    inputs = Sequences.of([[5, 6, 7]] * sentences, [[0, 0, 0]] * sentences)
    return Case("two", (inputs,), ragged=False)


def rounds(opening, instances):
    with Side(opening, instances) as side:
        loaded = side.loaded()
        side.warm(case().inputs, 0.0)
        logs = side.round([Load(seconds=SECONDS)] * instances)
        assert side.peak() > instances * 10_000_000
    assert loaded.slots == opening.slots
    return counted(logs, np.ones((1, 3)), None)


def test_two_instances_of_two_streams_answer_four_times_as_many(sleeping):
    one = rounds(sleeping(0.05), 1)
    four = rounds(sleeping(0.05, slots=2), 2)

    assert one.work_W[0] == pytest.approx(1 / 0.05, rel=0.25)
    assert four.work_W[0] / one.work_W[0] == pytest.approx(4, rel=0.2)
    assert np.median(four.latency_R) == pytest.approx(0.05, rel=0.25)


def test_nobody_begins_a_round_before_all_are_there():
    barrier = threading.Barrier(2)
    workers = [Worker(Engine("", "fp32", 1, lambda _: time.sleep(0.002)), barrier) for _ in "ab"]
    begun = []

    def round_of(worker, later):
        worker.warm(case().inputs, 0.0)
        time.sleep(later)
        begun.append(worker.round(Load(seconds=0.01)).begin)

    threads = [
        threading.Thread(target=round_of, args=(worker, later))
        for worker, later in zip(workers, (0.0, 0.2), strict=True)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert abs(begun[0] - begun[1]) < 0.1


@pytest.mark.parametrize(
    ("fails", "reason"),
    [
        ("loading", "no such instructions; buy another processor"),
        ("dying", "its process died with exit code 3"),
    ],
)
def test_why_an_engine_does_not_load_is_one_line(sleeping, fails, reason):
    with Side(sleeping(fails=fails)) as side, pytest.raises(EngineError) as caught:
        side.loaded()

    assert str(caught.value) == reason


def test_processes_end_with_the_block(sleeping):
    with Side(sleeping(), 2) as side:
        side.loaded()

    assert [process.exitcode for process in side._processes] == [0, 0]


def test_nothing_that_an_engine_prints_stands_among_the_results(sleeping, capfd):
    with Side(sleeping()) as side:
        side.loaded()

    assert capfd.readouterr().out == ""


def test_an_engine_that_fails_is_told_of_and_the_others_go_on(sleeping):
    entrants = [
        Entrant("unmask", sleeping(0.01)),
        Entrant("not loading", sleeping(fails="loading")),
        Entrant("not answering", sleeping(fails="answering")),
    ]
    work = np.array([[2.0, 6.0, 1e6]])
    protocol = Protocol(seconds=0.1, warmup=0.02, rounds=3)

    *missing, record = measured(entrants, [Task(case(), work)], protocol, lambda _: 1e9)

    assert missing == [
        Missing("not loading", "two", "no such instructions; buy another processor"),
        Missing("not answering", "two", "ValueError: first line"),
    ]
    assert (record.engine, record.runtime, record.case) == ("unmask", "sleeping fp32", "two")
    assert record.load == "1 caller that waits"
    assert 2 / 0.03 < record.sentences_per_s.median <= 2 / 0.01
    assert record.tokens_per_s.median == pytest.approx(3 * record.sentences_per_s.median)
    assert record.peak_share == pytest.approx(1e6 / 2 * record.sentences_per_s.median / 1e9)
    assert 10 <= record.latency_ms["p50"].median < 30
    assert 0.02 <= record.warmup_s < 1
    assert 3 * 3 <= record.requests <= 3 * 11


def test_engines_are_measured_in_turns(sleeping, monkeypatch):
    order = []
    told = Side.round

    def remembered(self, loads):
        order.append(self.name)
        return told(self, loads)

    def named(self, opening, instances=1):
        begun(self, opening, instances)
        self.name = opening.slots

    begun = Side.__init__
    monkeypatch.setattr(Side, "__init__", named)
    monkeypatch.setattr(Side, "round", remembered)
    entrants = [Entrant(str(slots), sleeping(0.001, slots=slots)) for slots in (1, 2)]

    list(
        measured(
            entrants,
            [Task(case(), np.ones((1, 3)))],
            Protocol(seconds=0.01, warmup=0.0, rounds=3),
            lambda _: None,
        )
    )

    assert order == [1, 2, 1, 2, 1, 2]


@pytest.mark.parametrize(
    ("instances", "clients", "callers"),
    [(1, None, [None]), (2, None, [None, None]), (1, 5, [5]), (2, 5, [3, 2]), (3, 3, [1, 1, 1])],
)
def test_clients_are_shared_out_evenly(instances, clients, callers):
    protocol = Protocol(instances=instances, clients=clients, seconds=1, warmup=0, rounds=1)

    assert [load.callers for load in protocol.loads(0)] == callers


def test_the_requests_of_an_open_loop_are_dealt_to_the_instances():
    protocol = Protocol(instances=2, rate=100, seconds=50, warmup=0, rounds=1)

    first, second = (load.due_R for load in protocol.loads(0))
    again, _ = (load.due_R for load in protocol.loads(1))

    assert len(first) == pytest.approx(2500, rel=0.1)
    assert len(first) + len(second) == pytest.approx(5000, rel=0.05)
    assert first[:9].tolist() != second[:9].tolist() != again[:9].tolist()


def test_a_side_that_computes_is_ended_all_the_same(sleeping, monkeypatch):
    monkeypatch.setattr("unmask.bench.sides.GRACE_S", 0.05)
    began = time.monotonic()

    with Side(sleeping(60.0)) as side:
        side.loaded()
        side._tell(side._pipes[0], ("warm", (case().inputs, 0.0)))

    assert side._processes[0].exitcode == -9
    assert time.monotonic() - began < 30
