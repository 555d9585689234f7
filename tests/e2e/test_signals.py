"""Asked to stop, or to be done in time: nothing is lost, and the exit code says how it was."""

import signal

import pytest

from .processes import (
    WAIT_S,
    Started,
    begun_by_torchrun,
    finished,
    results,
    wait_for_rows,
    weights,
    written,
)

pytestmark = pytest.mark.e2e

STEPS = 60
WORDS = (
    *("--tokens", "tokens", "--checkpoint-every", "1000"),
    *("--log-every", "2", "--evaluate-every", "1000"),
)


@pytest.fixture(scope="module")
def words(shape):
    return lambda out: ("--out", f"signals/{out}", *shape, *WORDS, "--steps", STEPS)


@pytest.fixture(scope="module")
def uninterrupted(line, words):
    finished(line, words("uninterrupted"))
    return line.folder / "signals" / "uninterrupted"


def stopped_by(number, line, words, out, processes=1):
    """Exit codes and what was said, of a run that got a signal in its first steps."""
    started = Started(line, words(out), processes)
    wait_for_rows(line.folder / "signals" / out, "train", 3, going=started.going)
    started.signal(number, rank=processes - 1)
    return started.end()


def assert_it_ends_as_the_other(line, words, folder, uninterrupted):
    """No checkpoint was due on the way: what there is was saved because of the signal."""
    row = written(folder)[-1]
    assert (row["kind"], row["step"] >= 6) == ("stop", True)
    newest = folder / "checkpoints" / f"step-{row['step']}"
    assert (newest / "manifest.json").exists()

    said = finished(line, words(folder.name))

    assert f"going on from step {row['step']}" in said
    assert weights(folder) == weights(uninterrupted)
    assert results(folder) == results(uninterrupted)


@pytest.mark.parametrize("processes", [1, 2])
def test_sigterm_to_any_process_saves_and_is_no_error(processes, line, words, uninterrupted):
    out = f"sigterm-{processes}"
    codes, said = stopped_by(signal.SIGTERM, line, words, out, processes)

    folder = line.folder / "signals" / out
    assert codes == [0] * processes
    step = written(folder)[-1]["step"]
    assert f"SIGTERM: saved at step {step}; the same command goes on" in said
    assert written(folder)[-1]["signal"] == "SIGTERM"
    assert not (folder / "model").exists()
    if processes == 1:
        assert_it_ends_as_the_other(line, words, folder, uninterrupted)


def test_torchrun_hands_sigterm_on_and_the_run_is_saved(line, words):
    """It waits for the processes; that it ends with an error itself is its way."""
    folder = line.folder / "signals" / "torchrun"
    launcher = begun_by_torchrun(line, words("torchrun"), processes=2)
    wait_for_rows(folder, "train", 3, going=lambda: launcher.poll() is None)
    launcher.send_signal(signal.SIGTERM)
    _, said = launcher.communicate(timeout=WAIT_S)

    row = written(folder)[-1]
    assert (row["kind"], row["signal"]) == ("stop", "SIGTERM"), said
    assert (folder / "checkpoints" / f"step-{row['step']}" / "manifest.json").exists()


def test_ctrl_c_saves_and_says_how_to_go_on(line, words, uninterrupted):
    codes, said = stopped_by(signal.SIGINT, line, words, "sigint")

    assert codes == [130]
    assert said.splitlines()[-2:] == [
        "error: interrupted",
        "hint: what was finished is kept; the same command goes on from there",
    ]
    folder = line.folder / "signals" / "sigint"
    assert_it_ends_as_the_other(line, words, folder, uninterrupted)


def test_a_budget_in_hours_ends_in_time_with_its_rate_at_the_end(line, shape):
    """7.2 seconds; what the run says in words takes longer on a busy machine."""
    finished(line, ("--out", "signals/budget", *shape, *WORDS, "--budget-hours", "0.002"))

    rows = [row for row in written(line.folder / "signals" / "budget") if row["kind"] == "train"]
    took = rows[-1]["time"] - rows[0]["time"]
    rates = [row["lr"] for row in rows]
    assert 4 < took < 15
    assert rows[-1]["step"] > 50
    assert max(rates) > 2e-3
    assert rates[-1] < 0.05 * max(rates)
    assert (line.folder / "signals" / "budget" / "model" / "model.safetensors").exists()


def test_resuming_is_proved_on_the_users_machine(line, words):
    said = finished(line, (*words("proof"), "--verify-resume"))

    assert "resuming is exact here: 20 losses and " in said
    assert not (line.folder / "signals" / "proof").exists()
