"""Commands in processes of their own: how they begin, what they say, how they end."""

import os
import shlex
import sys

import pytest

from unmask.core import children
from unmask.core.children import Child


@pytest.fixture
def begun(tmp_path, monkeypatch):
    """Starts a few lines of Python in the place of `unmask`."""
    (tmp_path / "stand_in.py").write_text(
        "import os, sys, time\nexec(sys.argv[-1])\n", encoding="utf-8"
    )
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    monkeypatch.setattr(children.attended, "__name__", "stand_in")
    alive = []

    def start(code, environment=None, threads=1):
        alive.append(Child.begun(["finetune", code], tmp_path / "a" / "log", threads, environment))
        return alive[-1]

    yield start
    for child in alive:
        child.end()


def test_its_log_begins_with_the_command_and_ends_with_its_last_word(begun):
    code = "print('one'); print('two')"
    child = begun(code)

    assert child.process.wait(20) == 0

    assert not child.going
    assert child.log.read_text().splitlines() == [
        f"$ unmask finetune {shlex.quote(code)}",
        "one",
        "two",
    ]
    assert child.last_word() == "two"


def test_it_is_not_one_of_torchruns_processes(begun, monkeypatch):
    told = {"RANK": "1", "LOCAL_RANK": "1", "WORLD_SIZE": "2", "LOCAL_WORLD_SIZE": "2"}
    told |= {"MASTER_ADDR": "x", "MASTER_PORT": "1", "TORCHELASTIC_RUN_ID": "y"}
    for name, value in told.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("KEPT", "z")

    child = begun("print(sorted(os.environ))", {"CUDA_VISIBLE_DEVICES": "1"}, threads=3)
    child.process.wait(20)

    names = child.last_word()
    assert not any(repr(name) in names for name in told)
    assert all(repr(name) in names for name in ("KEPT", "CUDA_VISIBLE_DEVICES"))
    child = begun("print(os.environ['OMP_NUM_THREADS'])", threads=3)
    child.process.wait(20)
    assert child.last_word() == "3"


@pytest.mark.parametrize(
    ("code", "said"),
    [
        ("print('error: no such file'); print('hint: look'); sys.exit(2)", "no such file"),
        ("print('a line'); sys.exit(3)", "exit code 3"),
        ("sys.stdout.flush(); os.kill(os.getpid(), 9)", "signal 9"),
    ],
)
def test_its_complaint_is_its_own_error_or_how_it_ended(code, said, begun):
    child = begun(code)
    child.process.wait(20)

    assert child.complaint() == said


def test_what_is_not_text_in_a_log_is_no_error(begun):
    child = begun("os.write(1, bytes([255, 10]))")
    child.process.wait(20)

    assert child.last_word() == "\ufffd"


def test_it_ends_when_it_is_told_to_and_when_it_does_not_listen(begun, monkeypatch):
    monkeypatch.setattr(children, "GRACE_S", 0.3)
    willing = begun("time.sleep(60)")
    assert willing.going
    willing.end()
    assert not willing.going

    deaf = begun(
        "import signal; signal.signal(15, signal.SIG_IGN)\n"
        "print('deaf', flush=True); time.sleep(60)"
    )
    while deaf.last_word() != "deaf":
        assert deaf.going
    deaf.end()
    assert deaf.process.returncode == -9


def test_it_is_told_whose_child_it_is(begun):
    child = begun("print(sys.argv[1])")
    child.process.wait(20)

    assert child.last_word() == str(os.getpid())
    assert child.process.args[:3] == [sys.executable, "-m", "stand_in"]
