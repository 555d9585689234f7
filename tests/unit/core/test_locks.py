import subprocess
import sys

import pytest

from unmask.core import locks
from unmask.core.errors import UserError

HOLD = (
    "import sys; from pathlib import Path; from unmask.core import locks\n"
    "locks.hold(Path(sys.argv[1])); print('held', flush=True); sys.stdin.read()"
)


@pytest.fixture
def other(tmp_path):
    """Another process that holds the lock of the folder `out`."""
    process = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(tmp_path / "out")],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    assert process.stdout.readline() == b"held\n"
    yield process
    process.kill()
    process.communicate()


def test_a_second_process_is_refused_and_told_who_has_the_folder(tmp_path, other):
    with pytest.raises(UserError, match=f"another run is writing there .process {other.pid} on"):
        locks.hold(tmp_path / "out")


def test_a_killed_process_leaves_no_lock(tmp_path, other):
    other.kill()
    other.wait()

    with locks.alone(tmp_path / "out"):
        pass


def test_a_process_may_take_its_own_lock_again(tmp_path):
    with locks.alone(tmp_path / "out"):
        with locks.alone(tmp_path / "out"):
            pass
        assert (tmp_path / ".out.lock").exists()

    assert not (tmp_path / ".out.lock").exists()
