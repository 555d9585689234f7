"""The data stages on one process, on a pool and on Ray: the same bytes, whatever dies meanwhile."""

import glob
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from unmask.core import manifests

pytestmark = pytest.mark.e2e

psutil = pytest.importorskip("psutil", reason="needs psutil, of the extra [test]")

RAY = ("--engine", "ray", "--workers", "2")
STAGES = ("corpus", "counts", "tokenizer", "tokens")


@pytest.fixture(scope="module")
def unmask(tmp_path_factory, command_line):
    """A folder with text enough for several tasks, and everything made of it by one process."""
    unmask = command_line(tmp_path_factory.mktemp("engines"))
    dice = random.Random(0)
    words = ["".join(dice.choices("abcdefgh", k=dice.randint(2, 9))) for _ in range(3000)]
    lines = [" ".join(dice.choices(words, k=30)) + "." for _ in range(4000)]
    with (unmask.folder / "text.txt").open("w", encoding="utf-8") as file:
        for _ in range(3000):
            file.write("\n".join(dice.choices(lines, k=40)) + "\n\n")
    for stage in STAGES:
        workers = () if stage == "tokenizer" else ("--workers", "1")
        unmask.good(*flags(stage, "one"), *workers)
    return unmask


def flags(stage, out, source="one"):
    """The command of a stage, from the folder `source` into the folder `out`."""
    corpus = ("--corpus", f"{source}/corpus")
    return {
        "corpus": ("corpus", "--inputs", "text.txt"),
        "counts": ("counts", *corpus),
        "tokenizer": ("tokenizer", "--counts", f"{source}/counts", "--vocabulary", "1000"),
        "tokens": ("tokens", *corpus, "--tokenizer", f"{source}/tokenizer", "--length", "64"),
    }[stage] + ("--out", f"{out}/{stage}")


def digests(unmask, out, stages):
    return [manifests.read(unmask.folder / out / stage).digest for stage in stages]


def test_two_processes_write_the_same_bytes_as_one(unmask):
    stages = ("corpus", "counts", "tokens")
    for stage in stages:
        unmask.good(*flags(stage, "two"), "--workers", "2")

    assert digests(unmask, "two", stages) == digests(unmask, "one", stages)


@pytest.mark.parametrize("signal_", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
@pytest.mark.parametrize("stage", ["corpus", "tokens"])
def test_a_killed_stage_goes_on_and_does_no_shard_twice(unmask, stage, signal_):
    out = f"killed-{signal_.name}"
    building = unmask.folder / out / f".{stage}.building"
    process = subprocess.Popen(
        unmask.command(*flags(stage, out), "--workers", "1"),
        cwd=unmask.folder,
        env=unmask.environment,
        stderr=subprocess.DEVNULL,
    )
    while not (finished := results(building)):
        assert process.poll() is None, "it was over before it could be killed"
        time.sleep(0.002)
    process.send_signal(signal_)
    process.wait()
    assert set(finished) <= set(results(building))

    said = unmask.good(*flags(stage, out), "--workers", "1").stderr

    assert "an earlier run was stopped; what it finished is kept" in said
    assert "tasks were done before and are kept" in said
    assert digests(unmask, out, [stage]) == digests(unmask, "one", [stage])


def results(building):
    """The results of finished tasks."""
    pattern = building / "work" / "done" / "**" / "*.json"
    found = glob.glob(str(pattern), recursive=True)  # noqa: PTH207 (Path.glob minds what goes)
    return sorted(map(Path, found))


def test_two_runs_into_the_same_folder_at_once(unmask):
    first = subprocess.Popen(
        unmask.command(*flags("tokens", "twice"), "--workers", "1"),
        cwd=unmask.folder,
        env=unmask.environment,
        stderr=subprocess.DEVNULL,
    )
    while not (unmask.folder / "twice" / ".tokens.building").exists():
        assert first.poll() is None
        time.sleep(0.002)
    first.send_signal(signal.SIGSTOP)

    second = unmask(*flags("tokens", "twice"))

    first.send_signal(signal.SIGCONT)
    assert first.wait() == 0
    assert second.returncode == 2
    assert f"another run is writing there (process {first.pid} on" in second.stderr
    assert digests(unmask, "twice", ["tokens"]) == digests(unmask, "one", ["tokens"])


def test_a_worker_of_ray_that_dies_is_replaced(tmp_path):
    pytest.importorskip("ray", reason="needs ray, the extra [scale]")
    script = Path(__file__).parent / "ray_tasks.py"

    done = subprocess.run(
        [sys.executable, str(script), str(tmp_path)], capture_output=True, text=True, check=False
    )

    assert done.returncode == 0, done.stderr
    assert "[0, 1, 4, 9, 16, 25, 36, 49] True" in done.stdout
    assert "task 1 is bad | mend it" in done.stdout


def test_ray_writes_the_same_bytes_though_a_worker_is_killed(unmask):
    pytest.importorskip("ray", reason="needs ray, the extra [scale]")
    stages = ("corpus", "counts", "tokens")
    killed = 0
    for stage in stages:
        process = subprocess.Popen(
            unmask.command(*flags(stage, "ray"), *RAY),
            cwd=unmask.folder,
            env=unmask.environment,
            stderr=subprocess.PIPE,
            text=True,
        )
        killed += kill_a_busy_worker(process)
        _, said = process.communicate(timeout=120)
        assert process.returncode == 0, said

    assert killed
    assert digests(unmask, "ray", stages) == digests(unmask, "one", stages)


def kill_a_busy_worker(process):
    """Kill the first process of the tree that Ray has given a task; tell whether there was one."""
    while process.poll() is None:
        for child in children(process):
            if title(child).startswith("ray::_perform"):
                child.kill()
                return True
        time.sleep(0.005)
    return False


def children(process):
    try:
        return psutil.Process(process.pid).children(recursive=True)
    except psutil.NoSuchProcess:
        return []


def title(process):
    try:
        return " ".join(process.cmdline())
    except (psutil.NoSuchProcess, psutil.ZombieProcess):
        return ""
