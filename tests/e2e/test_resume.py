"""Killed and resumed equals never stopped."""

import signal
import subprocess
import time

import pytest

pytestmark = pytest.mark.e2e

RUN = ("--steps", "60", "--checkpoint-every", "5", "--evaluate-every", "1000")


@pytest.fixture(scope="module")
def uninterrupted(line):
    line.pretrain(*RUN, "--out", "uninterrupted")
    return weights(line, "uninterrupted")


def weights(line, run):
    return (line.folder / run / "model" / "model.safetensors").read_bytes()


def stopped_by(line, shape, number, run):
    """Start a run, wait for its second checkpoint, send the signal."""
    words = ("pretrain", "--tokens", "tokens", *shape, *RUN, "--out", run)
    process = subprocess.Popen(
        line.command(*words),
        cwd=line.folder,
        env=line.environment,
        stderr=subprocess.PIPE,
        text=True,
    )
    checkpoints = line.folder / run / "checkpoints"
    deadline = time.monotonic() + 60
    while not (checkpoints / "step-10").exists() and time.monotonic() < deadline:
        time.sleep(0.01)
    process.send_signal(number)
    _, said = process.communicate(timeout=60)
    return process.returncode, said


def test_a_killed_run_ends_as_if_never_stopped(line, shape, uninterrupted):
    code, _ = stopped_by(line, shape, signal.SIGKILL, "killed")
    assert code == -signal.SIGKILL
    assert not (line.folder / "killed" / "model").exists()

    done = line.pretrain(*RUN, "--out", "killed")

    assert "going on from step" in done.stderr
    assert weights(line, "killed") == uninterrupted


def test_ctrl_c_saves_and_says_how_to_go_on(line, shape, uninterrupted):
    code, said = stopped_by(line, shape, signal.SIGINT, "interrupted")

    assert code == 130
    assert said.splitlines()[-2:] == [
        "error: interrupted",
        "hint: what was finished is kept; the same command goes on from there",
    ]
    line.pretrain(*RUN, "--out", "interrupted")
    assert weights(line, "interrupted") == uninterrupted


def test_a_damaged_newest_checkpoint_costs_only_the_steps_since_the_one_before(
    line, shape, uninterrupted
):
    stopped_by(line, shape, signal.SIGKILL, "damaged")
    newest = max(
        (line.folder / "damaged" / "checkpoints").glob("step-*"),
        key=lambda path: int(path.name.removeprefix("step-")),
    )
    (newest / "optimizer.safetensors").write_bytes(b"half")

    done = line.pretrain(*RUN, "--out", "damaged")

    assert f"{newest.name}: damaged" in done.stderr
    assert weights(line, "damaged") == uninterrupted


def test_accumulation_changes_a_run_only_by_rounding(line):
    import torch
    from safetensors.torch import load_file

    small = ("--steps", "3", "--model.dropout", "0", "--model.attention-dropout", "0")
    line.pretrain(*small, "--out", "whole", "--micro-batch", "8")
    line.pretrain(*small, "--out", "in-parts", "--micro-batch", "2")

    whole, parts = (
        load_file(line.folder / run / "model" / "model.safetensors")
        for run in ("whole", "in-parts")
    )
    assert max(float((whole[k] - parts[k]).abs().max()) for k in whole) < 1e-4
    assert any(not torch.equal(whole[k], parts[k]) for k in whole)
