"""A process that waits on a pipe until it is asked something: both of its ends."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parent


class Live:
    """A script of this folder that answers lines of JSON; it ends with the `with` block."""

    def __init__(self, script: str, words: Sequence[object]) -> None:
        self._command = [sys.executable, str(FOLDER / script), *map(str, words)]
        self._process = subprocess.Popen(
            self._command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )

    def __enter__(self) -> "Live":
        return self

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self._process.wait()

    def ask(self, **question: object) -> dict[str, Any]:
        """Ask, and wait for the answer; a process that died ends the benchmark."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(question) + "\n")
        self._process.stdin.flush()
        line = self._process.stdout.readline()
        if not line:
            raise SystemExit(f"{self._command} died of {question}")
        answer: dict[str, Any] = json.loads(line)
        return answer


class Asked:
    """The end within such a script; what libraries print there goes to stderr."""

    def __init__(self) -> None:
        self._answers = os.fdopen(os.dup(1), "w")
        os.dup2(2, 1)

    def __iter__(self) -> Iterator[dict[str, Any]]:
        return map(json.loads, sys.stdin)

    def answer(self, **facts: object) -> None:
        """Answer the question that was asked last."""
        self._answers.write(json.dumps(facts) + "\n")
        self._answers.flush()
