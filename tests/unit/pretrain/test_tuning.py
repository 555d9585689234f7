import os
import subprocess
import sys
import time

import psutil
import pytest

from unmask.core import manifests
from unmask.core.children import Child
from unmask.pretrain.scoring.tuning import Tuning

ATTENDED = "unmask.core.attended"
PARENT = """
import os, subprocess, sys
child = subprocess.Popen(
    [sys.executable, "-c", sys.argv[1], str(os.getpid())], stdout=subprocess.PIPE, text=True
)
print(child.pid, child.stdout.readline().strip(), flush=True)
sys.stdin.read()
"""
CHILD = """
import sys, threading, time
from unmask.core import attended
attended.INTERVAL_S = 0.01
threading.Thread(target=attended.end_with, args=(int(sys.argv[1]),), daemon=True).start()
print("up", flush=True)
time.sleep(60)
"""


def ended(code, tmp_path, said=""):
    """A tuning whose process came to its end with this code."""
    out = tmp_path / "sst-seed-0"
    (tmp_path / "sst-seed-0.log").write_text(said)
    out.mkdir()
    process = subprocess.Popen([sys.executable, "-S", "-c", code])
    process.wait()
    return Tuning(out, Child(tmp_path / "sst-seed-0.log", process))


def gone(process):
    """Whether it has ended, even if nobody here collects orphans."""
    try:
        return process.status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


def test_a_process_ends_when_the_one_that_started_it_is_killed():
    command = [sys.executable, "-c", PARENT, CHILD]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as parent:
        number, up = parent.stdout.readline().split()
        child = psutil.Process(int(number))
        assert up == "up"
        assert child.is_running()

        parent.kill()

    deadline = time.monotonic() + 10
    while not gone(child) and time.monotonic() < deadline:
        time.sleep(0.01)
    assert gone(child)


def test_the_score_is_that_of_the_metric_of_the_recipe(tmp_path):
    tuning = ended("", tmp_path)
    (tuning.out / "model").mkdir()
    facts = {"dev_accuracy": 0.5, "dev_mcc": 0.25}
    manifests.write(tuning.out / "model", "finetune", {}, [], {"metric": "mcc"} | facts)

    assert not tuning.going
    assert tuning.score() == ("mcc", 0.25)


@pytest.mark.parametrize(
    ("code", "said", "why"),
    [
        ("exit(2)", "$ unmask\nerror: train.tsv: has no rows\nhint: x\n", "train.tsv: has no rows"),
        ("exit(1)", "Traceback\n", "exit code 1"),
        ("import os; os.kill(os.getpid(), 9)", "", "signal 9"),
        ("", "said nothing of a model", "exit code 0"),
    ],
)
def test_a_fine_tuning_that_fails_has_no_score_and_says_why(tmp_path, code, said, why):
    tuning = ended(code, tmp_path, said)

    assert tuning.score() is None
    assert tuning.complaint() == why


def test_forgetting_leaves_neither_weights_nor_log(tmp_path):
    ended("", tmp_path).forget()

    assert list(tmp_path.iterdir()) == []


@pytest.fixture
def started(monkeypatch):
    """What processes were to be started with."""
    found = []

    def popen(command, **more):
        found.append((command, more))

    monkeypatch.setattr("unmask.core.children.subprocess.Popen", popen)
    return found


def test_a_fine_tuning_is_none_of_torchruns_processes_and_has_its_own_threads(
    tmp_path, started, monkeypatch
):
    names = ("RANK", "LOCAL_RANK", "WORLD_SIZE", "MASTER_PORT", "TORCHELASTIC_RUN_ID")
    for name in (*names, "OMP_NUM_THREADS", "HF_HOME"):
        monkeypatch.setenv(name, "1")

    Tuning.begun(["--seed=0"], tmp_path / "a" / "seed-0", 3)

    ((command, more),) = started
    assert more["start_new_session"]
    assert not set(names) & set(more["env"])
    assert more["env"]["OMP_NUM_THREADS"] == "3"
    assert more["env"]["HF_HOME"] == "1"
    assert more["env"].items() <= (os.environ | {"OMP_NUM_THREADS": "3"}).items()
    ours = [str(os.getpid()), "finetune", "--seed=0", f"--out={tmp_path}/a/seed-0"]
    assert command[1:] == ["-m", ATTENDED, *ours]
    log = (tmp_path / "a" / "seed-0.log").read_text()
    assert log == f"$ unmask finetune --seed=0 --out={tmp_path}/a/seed-0\n"


def test_what_an_earlier_one_left_is_thrown_away(tmp_path, started):
    (tmp_path / "seed-0").mkdir()
    (tmp_path / "seed-0" / "config.toml").write_text("half")

    Tuning.begun([], tmp_path / "seed-0", 1)

    assert not (tmp_path / "seed-0").exists()


def test_ending_stops_even_a_process_that_does_not_listen(tmp_path, monkeypatch):
    monkeypatch.setattr("unmask.core.children.GRACE_S", 0.05)
    code = (
        "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); "
        "print(flush=True); time.sleep(60)"
    )
    process = subprocess.Popen([sys.executable, "-S", "-c", code], stdout=subprocess.PIPE)
    with process:
        process.stdout.readline()
        Tuning(tmp_path / "seed-0", Child(tmp_path / "seed-0.log", process)).end()

    assert process.returncode == -9


def test_the_attended_command_is_unmask_itself():
    done = subprocess.run(
        [sys.executable, "-m", ATTENDED, str(os.getpid()), "lineage", "nowhere"],
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 2
    assert "error: " in done.stderr
    assert done.stdout == ""
