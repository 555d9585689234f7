"""The process that has a model and is asked over a pipe to run it."""

import contextlib
import os
import signal
import time
from collections.abc import Callable
from multiprocessing.connection import Connection
from threading import Barrier
from typing import Any, NamedTuple, Protocol

from unmask.bench import loops, memory
from unmask.bench.loops import Load, Log
from unmask.core.errors import UserError
from unmask.finetune.sequences import Sequences

PATIENCE_S = 600.0
"""For the other processes at the barrier."""


class Engine(NamedTuple):
    """A model that is loaded."""

    name: str
    """The runtime and its number format."""
    number_format: str
    """Of the matrix products: fp32, bf16, fp16 or int8."""
    slots: int
    """Requests that it computes at once."""
    answer: Callable[[Sequences], object]
    """Computes one request."""


class Opening(Protocol):
    """What can be sent to a process and loads the model there."""

    def open(self) -> Engine:
        """Load it; UserError, or any exception, tells why it does not run here."""


class Loaded(NamedTuple):
    """What a process says of its model."""

    name: str
    number_format: str
    slots: int
    seconds: float
    """Imports, reading and compiling."""


def serve(pipe: Connection, barrier: Barrier, opening: Opening) -> None:
    """Load the model, then answer questions until the other end hangs up."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the process that asks
    os.dup2(2, 1)  # what libraries print must not stand among the results
    with contextlib.suppress(EOFError, BrokenPipeError):
        engine = _answered(pipe, lambda: _load(opening))
        if engine is not None:
            _listen(pipe, Worker(engine, barrier))


class Worker:
    """A loaded model, and the inputs of the case that is measured."""

    def __init__(self, engine: Engine, barrier: Barrier) -> None:
        self.engine = engine
        self._barrier = barrier
        self._inputs: tuple[Sequences, ...] = ()

    def warm(self, inputs: tuple[Sequences, ...], seconds: float) -> float:
        """Take a case's inputs and run each once, and on for so many seconds; seconds it took."""
        self._inputs = inputs
        memory.forget_peak()
        began = time.perf_counter()
        for one in inputs:
            self.engine.answer(one)
        left = seconds - (time.perf_counter() - began)
        if left > 0:
            loops.run(self._answer, len(inputs), self.engine.slots, Load(seconds=left))
        return time.perf_counter() - began

    def round(self, load: Load) -> Log:
        """Wait for the other processes, then run."""
        self._barrier.wait(PATIENCE_S)
        return loops.run(self._answer, len(self._inputs), self.engine.slots, load)

    def peak(self) -> int:
        """Bytes of memory at most, since the case began where the system can tell."""
        return memory.peak()

    def _answer(self, request: int) -> None:
        self.engine.answer(self._inputs[request])


def _load(opening: Opening) -> tuple[Loaded, Engine]:
    began = time.perf_counter()
    engine = opening.open()
    seconds = time.perf_counter() - began
    return Loaded(engine.name, engine.number_format, engine.slots, seconds), engine


def _answered(pipe: Connection, load: Callable[[], tuple[Loaded, Engine]]) -> Engine | None:
    try:
        loaded, engine = load()
    except Exception as error:
        pipe.send(("failed", reason(error)))
        return None
    pipe.send(("done", loaded))
    return engine


def _listen(pipe: Connection, worker: Worker) -> None:
    while True:
        name, words = pipe.recv()
        try:
            found: Any = getattr(worker, name)(*words)
        except Exception as error:
            pipe.send(("failed", reason(error)))
        else:
            pipe.send(("done", found))


def reason(error: BaseException) -> str:
    """An exception in one line."""
    if isinstance(error, UserError):
        return f"{error.what}; {error.hint}"
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    said = f"{type(error).__name__}: {lines[0]}" if lines else type(error).__name__
    return said if len(said) <= 300 else f"{said[:299]}…"
