"""A checkpoint fits any number of processes, sharded in any way, to the bit."""

import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.e2e

SCRIPT = Path(__file__).with_name("resharding_ranks.py")


def run(folder, act, *, processes):
    """Start the processes as torchrun does."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    started = [
        subprocess.Popen(
            [sys.executable, "-W", "error::UserWarning", SCRIPT, folder, act],
            env=os.environ
            | {
                "RANK": str(rank),
                "LOCAL_RANK": str(rank),
                "WORLD_SIZE": str(processes),
                "MASTER_ADDR": "127.0.0.1",
                "MASTER_PORT": str(port),
                "OMP_NUM_THREADS": "1",
                "CUDA_VISIBLE_DEVICES": "",
            },
            stderr=subprocess.PIPE,
            text=True,
        )
        for rank in range(processes)
    ]
    try:
        said = [process.communicate(timeout=120)[1] for process in started]
    finally:
        for process in started:
            process.kill()
    assert [process.returncode for process in started] == [0] * processes, "\n".join(said)


def test_what_two_processes_save_one_restores_and_two_restore_again(tmp_path):
    run(tmp_path, "first", processes=2)
    run(tmp_path, "one", processes=1)
    run(tmp_path, "second", processes=2)

    shards = [
        len(list((tmp_path / name / "step-3").glob("*.safetensors")))
        for name in ("zero3", "zero2", "ddp", "one")
    ]
    assert shards == [2, 2, 2, 1]
