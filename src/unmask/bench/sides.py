"""The other end: processes of one engine, asked at the same time."""

import multiprocessing
from collections.abc import Sequence
from multiprocessing.connection import Connection
from typing import Any

from unmask.bench.loops import Load, Log
from unmask.bench.worker import Loaded, Opening, serve
from unmask.finetune.sequences import Sequences

GRACE_S = 5.0
"""For a process to end by itself when its pipe is closed."""


class EngineError(Exception):
    """Why an engine does not run here, in one line."""


class Side:
    """One engine in one process or several; they end with the `with` block.

    The processes are spawned: a forked copy of one that has threads may hang.
    """

    def __init__(self, opening: Opening, instances: int = 1) -> None:
        context = multiprocessing.get_context("spawn")
        # Kept, as the system forgets a barrier that nobody holds before all have opened it.
        self._barrier = barrier = context.Barrier(instances)
        self._pipes: list[Connection] = []
        self._processes = []
        for _ in range(instances):
            mine, theirs = context.Pipe()
            process = context.Process(target=serve, args=(theirs, barrier, opening), daemon=True)
            process.start()
            theirs.close()
            self._pipes.append(mine)
            self._processes.append(process)

    def __enter__(self) -> "Side":
        return self

    def __exit__(self, *_: object) -> None:
        for pipe in self._pipes:
            pipe.close()
        for process in self._processes:
            process.join(GRACE_S)
            if process.exitcode is None:  # it computes, and has not seen that nobody listens
                process.kill()
                process.join()

    def loaded(self) -> Loaded:
        """Wait until all have loaded; the seconds are those of the slowest. EngineError."""
        found: list[Loaded] = self._answers()
        return found[0]._replace(seconds=max(one.seconds for one in found))

    def warm(self, inputs: Sequence[Sequences], seconds: float) -> float:
        """Hand over the inputs of a case and run them for a while; seconds it took."""
        return float(max(self._ask("warm", tuple(inputs), seconds)))

    def round(self, loads: Sequence[Load]) -> list[Log]:
        """Run one round, all processes at the same time; a load for each of them."""
        for pipe, load in zip(self._pipes, loads, strict=True):
            self._tell(pipe, ("round", (load,)))
        return self._answers()

    def peak(self) -> int:
        """Bytes of memory of all of them, at most."""
        return sum(self._ask("peak"))

    def _ask(self, name: str, *words: object) -> list[Any]:
        for pipe in self._pipes:
            self._tell(pipe, (name, words))
        return self._answers()

    def _tell(self, pipe: Connection, question: object) -> None:
        try:
            pipe.send(question)
        except OSError:
            raise EngineError(self._death()) from None

    def _answers(self) -> list[Any]:
        answers = []
        for pipe in self._pipes:
            try:
                kind, found = pipe.recv()
            except (EOFError, OSError):
                raise EngineError(self._death()) from None
            if kind == "failed":
                raise EngineError(found)
            answers.append(found)
        return answers

    def _death(self) -> str:
        for process in self._processes:
            process.join(GRACE_S)
            code = process.exitcode
            if code:
                how = f"by signal {-code}" if code < 0 else f"with exit code {code}"
                return f"its process died {how}"
        return "its process died"
