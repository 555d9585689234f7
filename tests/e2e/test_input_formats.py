"""Pretraining on blocks of other formats than the tokens folder was planned for."""

import json
import signal
import subprocess
import time
import tomllib

import pytest
import transformers

pytestmark = pytest.mark.e2e

PAIRS = (
    *("--family", "bert", "--plan", "segment-pair"),
    *("--steps", "60", "--checkpoint-every", "5", "--evaluate-every", "30"),
)


@pytest.fixture(scope="module")
def pairs(line):
    """A BERT that learns both objectives, never stopped."""
    line.pretrain(*PAIRS, "--out", "pairs-pretrain")
    return line.folder / "pairs-pretrain"


def rows(run, kind):
    found = [json.loads(text) for text in (run / "metrics.jsonl").read_text().splitlines()]
    return [row for row in found if row["kind"] == kind]


def test_next_sentence_prediction_is_trained_and_logged(pairs):
    train, valid = rows(pairs, "train"), rows(pairs, "valid")

    assert all(row["blocks"] == 40 and row["nsp_loss"] > 0 for row in train)
    assert all(0 <= row["nsp_accuracy"] <= 1 for row in train + valid)
    facts = json.loads((pairs / "model" / "manifest.json").read_text())["facts"]
    assert facts["valid_nsp_accuracy"] == valid[-1]["nsp_accuracy"]
    card = (pairs / "model" / "README.md").read_text()
    assert "masked-language modelling and next-sentence prediction" in card


def test_transformers_reads_both_heads(pairs):
    kind = transformers.BertForPreTraining
    _, report = kind.from_pretrained(pairs / "model", output_loading_info=True)

    assert not any(report.values()), report


def test_a_killed_run_on_pairs_ends_as_if_never_stopped(line, shape, pairs):
    words = ("pretrain", "--tokens", "tokens", *shape, *PAIRS, "--out", "pairs-killed")
    process = subprocess.Popen(
        line.command(*words), cwd=line.folder, env=line.environment, stderr=subprocess.DEVNULL
    )
    killed = line.folder / "pairs-killed"
    deadline = time.monotonic() + 60
    while not (killed / "checkpoints" / "step-10").exists() and time.monotonic() < deadline:
        time.sleep(0.01)
    process.send_signal(signal.SIGKILL)
    process.wait(timeout=60)
    assert not (killed / "model").exists()

    assert "going on from step" in line.good(*words).stderr

    one, other = (run / "model" / "model.safetensors" for run in (pairs, killed))
    assert one.read_bytes() == other.read_bytes()


def test_steps_of_short_blocks_are_as_large_as_others(line):
    done = line.pretrain("--plan", "line", "--steps", "10", "--out", "lines")

    config = tomllib.loads((line.folder / "lines" / "config.toml").read_text())
    assert (config["plan"], config["length"]) == ("line", 32)
    assert "train: line, length 32:" in done.stderr
    assert "which hold the tokens of 8 full ones" in done.stderr
    for row in rows(line.folder / "lines", "train"):
        assert row["blocks"] > 5 * 8
        assert row["tokens"] == pytest.approx(5 * 8 * 32, rel=0.1)


def test_without_flags_blocks_are_as_the_tokens_folder_was_planned(line):
    facts = json.loads((line.folder / "tokens" / "manifest.json").read_text())["facts"]

    config = tomllib.loads((line.folder / "pretrain" / "config.toml").read_text())

    assert config["plan"] == facts["plan"] == "full-sentences"
