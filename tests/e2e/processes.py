"""Runs of `unmask pretrain` that are started, watched and ended by a test."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

from safetensors.torch import load_file

WAIT_S = 100
FREE = ("time", "tokens_per_s", "mfu", "memory_bytes", "seconds")
"""What a row says of the machine and not of the training."""


class Started:
    """One command in one or more processes, which are started as torchrun does."""

    def __init__(self, line, words, processes=1, *, torchrun=0):
        """With `torchrun`, it is one launcher, which starts so many processes itself."""
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        command = line.command("pretrain", *words)
        if torchrun:
            command = under_torchrun(words, torchrun)
        self.processes = []
        for rank in range(processes):
            world = {
                "RANK": str(rank),
                "LOCAL_RANK": str(rank),
                "WORLD_SIZE": str(processes),
                "MASTER_ADDR": "127.0.0.1",
                "MASTER_PORT": str(port),
            }
            group = self.processes[0].pid if self.processes else 0
            self.processes.append(
                subprocess.Popen(
                    command,
                    cwd=line.folder,
                    env=line.environment | (world if processes > 1 else {}),
                    stderr=subprocess.PIPE,
                    text=True,
                    process_group=group,
                )
            )

    def kill(self):
        """End all processes at once, without a word."""
        os.killpg(self.processes[0].pid, signal.SIGKILL)

    def signal(self, number, rank=0):
        self.processes[rank].send_signal(number)

    def end(self):
        """Wait for all processes; their exit codes, and what the first one said."""
        try:
            said = [process.communicate(timeout=WAIT_S)[1] for process in self.processes]
        finally:
            for process in self.processes:
                process.kill()
        return [process.returncode for process in self.processes], said[0]


def under_torchrun(words, processes):
    launcher = ("-m", "torch.distributed.run", "--standalone", "--nproc-per-node", processes)
    return [sys.executable, *map(str, (*launcher, "-m", "unmask", "pretrain", *words))]


def finished(line, words, processes=1):
    """Run to the end; what the first process said."""
    codes, said = Started(line, words, processes).end()
    assert codes == [0] * processes, said
    return said


def torchrun(line, words, processes):
    """Run to the end under the real torchrun."""
    done = subprocess.run(
        under_torchrun(words, processes),
        cwd=line.folder,
        env=line.environment,
        capture_output=True,
        text=True,
        timeout=WAIT_S,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stderr


def written(folder: Path):
    """All whole rows so far."""
    path = folder / "metrics.jsonl"
    lines = path.read_text().splitlines(keepends=True) if path.exists() else []
    return [json.loads(line) for line in lines if line.endswith("\n")]


def wait_for_rows(started, folder, kind, count):
    """Wait until so many more rows of a kind are there, or the run has ended."""
    before = sum(row["kind"] == kind for row in written(folder))
    deadline = time.monotonic() + WAIT_S
    while time.monotonic() < deadline and started.processes[0].poll() is None:
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
