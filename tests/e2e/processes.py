"""Trainings of `unmask` that are started, watched and ended by a test."""

import json
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

from safetensors.torch import load_file

from .warm import Command

WAIT_S = 100
FREE = ("time", "tokens_per_s", "mfu", "memory_bytes", "seconds")
"""What a row says of the machine and not of the training."""


class Started:
    """One command in one or more processes, which are started as torchrun does."""

    def __init__(self, line, words, processes=1, command="pretrain"):
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        self.processes = []
        for rank in range(processes):
            world = {
                "RANK": str(rank),
                "LOCAL_RANK": str(rank),
                "WORLD_SIZE": str(processes),
                "MASTER_ADDR": "127.0.0.1",
                "MASTER_PORT": str(port),
            }
            environment = line.environment | (world if processes > 1 else {})
            self.processes.append(Command((command, *words), line.folder, environment))

    def going(self):
        return self.processes[0].returncode is None

    def kill(self):
        """End all processes at once, without a word."""
        for process in self.processes:
            process.send_signal(signal.SIGKILL)

    def signal(self, number, rank=0):
        self.processes[rank].send_signal(number)

    def end(self):
        """Wait for all processes; their exit codes, and what the first one said."""
        try:
            said = [process.wait(WAIT_S) for process in self.processes]
        finally:
            self.kill()
        return [process.returncode for process in self.processes], said[0]


def begun_by_torchrun(line, words, processes, command="pretrain"):
    """The real launcher, which starts so many processes itself."""
    launcher = ("-m", "torch.distributed.run", "--standalone", "--nproc-per-node", processes)
    all_words = [sys.executable, *map(str, (*launcher, "-m", "unmask", command, *words))]
    return subprocess.Popen(
        all_words, cwd=line.folder, env=line.environment, stderr=subprocess.PIPE, text=True
    )


def finished(line, words, processes=1, command="pretrain"):
    """Run to the end; what the first process said."""
    codes, said = Started(line, words, processes, command).end()
    assert codes == [0] * processes, said
    return said


def torchrun(line, words, processes, command="pretrain"):
    """Run to the end under the real torchrun."""
    launcher = begun_by_torchrun(line, words, processes, command)
    said = launcher.communicate(timeout=WAIT_S)[1]
    assert launcher.returncode == 0, said
    return said


def written(folder: Path):
    """All whole rows so far."""
    path = folder / "metrics.jsonl"
    lines = path.read_text().splitlines(keepends=True) if path.exists() else []
    return [json.loads(line) for line in lines if line.endswith("\n")]


def wait_for_rows(folder, kind, count, *, going):
    """Wait until so many more rows of a kind are there, or the run has ended."""
    before = sum(row["kind"] == kind for row in written(folder))
    deadline = time.monotonic() + WAIT_S
    while time.monotonic() < deadline and going():
        if sum(row["kind"] == kind for row in written(folder)) >= before + count:
            return
        time.sleep(0.005)


def results(folder: Path, kinds=("train", "valid", "activations")):
    """Rows by kind and step, a later one in the place of an earlier one."""
    return {
        (row["kind"], row["step"]): {key: row[key] for key in row if key not in FREE}
        for row in written(folder)
        if row["kind"] in kinds
    }


def weights(folder: Path):
    return (folder / "model" / "model.safetensors").read_bytes()


def tensors(folder: Path):
    return load_file(folder / "model" / "model.safetensors")
