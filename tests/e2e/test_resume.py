"""Killed and resumed equals never stopped, to the bit."""

import random
import shutil
import time

import pytest

from .processes import Started, finished, results, wait_for_rows, weights, written

pytestmark = pytest.mark.e2e

STEPS = 90
WORDS = (
    *("--tokens", "tokens", "--steps", STEPS, "--checkpoint-every", "3"),
    *("--log-every", "2", "--evaluate-every", "15"),
)
KILLS = 10
"""Of each number of processes."""


@pytest.fixture(scope="module")
def words(shape):
    return lambda out: ("--out", f"resume/{out}", *shape, *WORDS)


@pytest.fixture(scope="module")
def uninterrupted(line, words):
    """The folder of a run that nothing happened to, by the number of its processes."""
    found = {}

    def of(processes):
        if processes not in found:
            finished(line, words(f"uninterrupted-{processes}"), processes)
            found[processes] = line.folder / "resume" / f"uninterrupted-{processes}"
        return found[processes]

    return of


def assert_the_same_run(folder, other):
    assert weights(folder) == weights(other)
    ours, theirs = results(folder), results(other)
    assert ours.keys() == theirs.keys()
    for key, row in theirs.items():
        assert ours[key] == row, key


@pytest.mark.timeout(400)
@pytest.mark.parametrize("processes", [1, 2])
def test_killed_at_random_moments_a_run_ends_as_if_never_stopped(
    processes, line, words, uninterrupted
):
    """All processes at once, some rows and some milliseconds after each start."""
    folder, dice = line.folder / "resume" / f"killed-{processes}", random.Random(processes)
    begun_on_a_checkpoint = 0
    for _ in range(KILLS):
        begun_on_a_checkpoint += any((folder / "checkpoints").glob("step-*"))
        started = Started(line, words(folder.name), processes)
        wait_for_rows(folder, "train", dice.randint(1, 5), going=started.going)
        time.sleep(dice.uniform(0, 0.03))
        started.kill()
        codes, said = started.end()
        assert codes == [-9] * processes, said
        assert not (folder / "model").exists()

    said = finished(line, words(folder.name), processes)

    assert "going on from step" in said
    rows = written(folder)
    resumed = [row["step"] for row in rows if row["kind"] == "resume"]
    assert len(resumed) == begun_on_a_checkpoint + 1  # the first kills may come before there is one
    assert len(resumed) > KILLS / 2
    assert resumed == sorted(resumed)
    assert_the_same_run(folder, uninterrupted(processes))


def test_a_damaged_newest_checkpoint_costs_only_the_steps_since_the_one_before(
    line, words, uninterrupted
):
    folder = line.folder / "resume" / "damaged"
    started = Started(line, words("damaged"))
    wait_for_rows(folder, "train", 8, going=started.going)
    started.kill()
    started.end()
    for unfinished in (folder / "checkpoints").glob(".step-*.building"):
        shutil.rmtree(unfinished)  # if it were whole, it would be put in its place as the newest
    newest = max(
        (folder / "checkpoints").glob("step-*"),
        key=lambda path: int(path.name.removeprefix("step-")),
    )
    shard = next(newest.glob("*.safetensors"))
    content = bytearray(shard.read_bytes())
    content[-5] ^= 1
    shard.write_bytes(content)

    said = finished(line, words("damaged"))

    step = int(newest.name.removeprefix("step-"))
    assert f"{newest.name}: damaged" in said
    assert f"going on from step {step - 3}" in said
    assert_the_same_run(folder, uninterrupted(1))
