"""Killed and run again equals never stopped, with real processes and a real kill."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

pytestmark = pytest.mark.e2e

DOCUMENTS = 70_000


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Some 40 MB, which are five slices."""
    folder = tmp_path_factory.mktemp("corpus")
    filler = " ".join(f"word{number}" for number in range(75))
    documents = (f"Document {number % (DOCUMENTS - 100)}. {filler}" for number in range(DOCUMENTS))
    (folder / "text.txt").write_text("\n\n".join(documents), encoding="utf-8")
    return folder


def command(out):
    words = ["corpus", "--inputs", "text.txt", "--out", out, "--workers", "2"]
    return [sys.executable, "-m", "unmask", *words]


def finished(folder, out):
    return list((folder / f".{out}.building" / "work" / "done" / "read").glob("*.json"))


def start(folder, out):
    """Start a run in a process group of its own, and wait until two of its tasks are done."""
    process = subprocess.Popen(
        command(out), cwd=folder, stderr=subprocess.PIPE, text=True, start_new_session=True
    )
    deadline = time.monotonic() + 100
    while len(finished(folder, out)) < 2 and time.monotonic() < deadline:
        time.sleep(0.005)
    return process


def run(folder, out):
    return subprocess.run(command(out), cwd=folder, capture_output=True, text=True, check=False)


def outputs(folder, out):
    return json.loads(Path(folder, out, "manifest.json").read_text(encoding="utf-8"))["outputs"]


@pytest.fixture(scope="module")
def uninterrupted(folder):
    done = run(folder, "uninterrupted")
    assert done.returncode == 0, done.stderr
    assert "100 duplicate" in done.stderr
    return outputs(folder, "uninterrupted")


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGINT])
def test_a_stopped_run_goes_on_with_what_is_missing(folder, uninterrupted, number):
    out = number.name
    process = start(folder, out)
    os.killpg(process.pid, number)
    process.communicate(timeout=60)
    assert not (folder / out).exists()
    kept = len(finished(folder, out))

    again = run(folder, out)

    assert again.returncode == 0, again.stderr
    assert 2 <= kept < 5
    assert f"read bytes: {kept} of 5 tasks were done before and are kept" in again.stderr
    assert outputs(folder, out) == uninterrupted


def test_two_runs_into_one_folder_at_once(folder, uninterrupted):
    first = start(folder, "shared")

    second = run(folder, "shared")
    first.communicate(timeout=100)

    assert second.returncode == 2
    assert "another run is writing there" in second.stderr.splitlines()[-2]
    assert first.returncode == 0
    assert outputs(folder, "shared") == uninterrupted
