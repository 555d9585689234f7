"""Commands as processes of their own: time and peak memory of the whole tree."""

import dataclasses
import subprocess
import sys
import threading
import time
from collections.abc import Sequence

import psutil

EVERY_S = 0.02


@dataclasses.dataclass(frozen=True, slots=True)
class Measured:
    """One run of a command."""

    seconds: float
    peak_bytes: int
    """The largest sum of resident memory over the process and its children, sampled."""
    stdout: str


def unmask(*words: object) -> Measured:
    """Run a command of unmask."""
    return run([sys.executable, "-m", "unmask", *map(str, words)])


def run(words: Sequence[str]) -> Measured:
    """Run a command to its end; a failure ends the benchmark."""
    started = time.perf_counter()
    process = subprocess.Popen(words, stdout=subprocess.PIPE, text=True)
    peaks: list[int] = [0]
    watcher = threading.Thread(target=_watch, args=(process.pid, peaks), daemon=True)
    watcher.start()
    stdout, _ = process.communicate()
    seconds = time.perf_counter() - started
    if process.returncode:
        raise SystemExit(f"{' '.join(words)} ended with exit code {process.returncode}")
    watcher.join()
    return Measured(seconds, peaks[0], stdout)


def _watch(pid: int, peaks: list[int]) -> None:
    try:
        process = psutil.Process(pid)
        while process.is_running() and process.status() != psutil.STATUS_ZOMBIE:
            tree = [process, *process.children(recursive=True)]
            peaks[0] = max(peaks[0], sum(_resident(one) for one in tree))
            time.sleep(EVERY_S)
    except psutil.NoSuchProcess:
        return


def _resident(process: psutil.Process) -> int:
    try:
        return int(process.memory_info().rss)
    except psutil.NoSuchProcess:
        return 0
