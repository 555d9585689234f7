"""Scores during pretraining: a curve beside the loss, from the real command line."""

import contextlib
import json
import signal
import subprocess
import time

import psutil
import pytest

pytestmark = pytest.mark.e2e

RUN = ("--steps", "20", "--evaluate-every", "20", "--checkpoint-every", "10")
RECIPE = """\
epochs = 4
batch = 8
dropout = 0.0
precision = "fp32"
[optim]
peak_lr = 3e-3
clip_norm = 1.0
"""


def label(text):
    """About as often yes as no, so that what seeds score differs."""
    return "yes" if text.split()[2] in ("sees", "hears", "finds", "likes") else "no"


@pytest.fixture(scope="module")
def tasks(line):
    """One task with a recipe of its own, and one that every fine-tuning fails on."""
    (line.folder / "scores.toml").write_text(RECIPE, encoding="utf-8")
    for name in ("verbs", "broken"):
        (line.folder / name).mkdir()
        for split in ("train", "dev"):
            rows = (line.folder / "task" / f"{split}.jsonl").read_text(encoding="utf-8")
            texts = [json.loads(row)["text"] for row in rows.splitlines()]
            table = "".join(f"x\t{label(text)}\t{text}\n" for text in texts)
            (line.folder / name / f"{split}.tsv").write_text(table, encoding="utf-8")
    own = 'metric = "mcc"\n[columns]\nnames = ["source", "label", "text"]\n'
    (line.folder / "verbs" / "finetune.toml").write_text(own, encoding="utf-8")
    return ("--scores.seeds", "2", "--scores.recipe", "scores.toml")


def scores(line, run):
    rows = (line.folder / run / "metrics.jsonl").read_text(encoding="utf-8").splitlines()
    return [row for row in map(json.loads, rows) if row["kind"] == "scores"]


@pytest.fixture(scope="module")
def scored(line, tasks):
    flags = ("--scores.tasks", "verbs", "broken", "--scores.every", "10")
    return line.pretrain(*RUN, *tasks, *flags, "--out", "scored").stderr


def test_every_task_is_scored_every_so_many_steps_and_at_the_last(line, scored):
    rows = scores(line, "scored")

    found = [(row["step"], row["task"], row["metric"]) for row in rows]
    assert found == [(10, "verbs", "mcc"), (20, "verbs", "mcc")]
    for row in rows:
        assert len(row["values"]) == 2
        assert row["low"] <= row["mean"] == sum(row["values"]) / 2 <= row["high"]
    assert len({value for row in rows for value in row["values"]}) > 1


def test_a_score_is_that_of_a_fine_tuning_by_hand(line, scored):
    line.good(
        *("finetune", "--data", "verbs", "--recipe", "scores.toml", "--seed", "1"),
        *("--recipe", "verbs/finetune.toml", "--device", "cpu"),
        *("--model", "scored/model", "--out", "by-hand"),
    )

    manifest = json.loads((line.folder / "by-hand" / "model" / "manifest.json").read_text())
    assert manifest["facts"]["dev_mcc"] == scores(line, "scored")[-1]["values"][1]


def test_a_task_that_fails_is_told_in_a_line_with_its_log_and_stops_nothing(line, scored):
    told = [line for line in scored.splitlines() if "broken" in line and "has no score" in line]

    assert len(told) == 2
    assert "scored/scores/step-10/broken-seed-0.log" in told[0]
    assert "row 1: no column 'text'" in told[0]
    log = (line.folder / "scored" / "scores" / "step-10" / "broken-seed-0.log").read_text()
    assert log.startswith("$ unmask finetune --device=cpu --recipe=scores.toml --data=broken")
    assert "scores: fine-tuning shares the cores (1 thread) with training" in scored
    assert scored.count("shares the cores") == 1
    chain = line.good("lineage", "scored/scores/step-10/model").stdout
    assert "text.txt" in chain


def test_training_is_the_same_as_without_scores(line, scored):
    same = [line.folder / run / "model" / "model.safetensors" for run in ("scored", "pretrain")]
    assert same[0].read_bytes() == same[1].read_bytes()


def test_the_report_shows_the_curves(line, scored):
    line.good("report", "scored")

    page = (line.folder / "scored" / "report.html").read_text(encoding="utf-8")
    assert "verbs: mcc" in page


def stopped(line, shape, number, run, *words):
    """Start a run, send the signal while the first fine-tuning is going; its processes."""
    process = subprocess.Popen(
        line.command("pretrain", "--tokens", "tokens", *shape, *RUN, *words, "--out", run),
        cwd=line.folder,
        env=line.environment,
        stderr=subprocess.PIPE,
        text=True,
    )
    log = line.folder / run / "scores" / "step-20" / "task-seed-1.log"
    deadline = time.monotonic() + 60
    while not log.exists() and time.monotonic() < deadline:
        time.sleep(0.01)
    process.send_signal(number)
    _, said = process.communicate(timeout=60)
    return process.returncode, said


def fine_tunings_of(folder):
    found = []
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error):
            if "finetune" in process.cmdline() and process.cwd() == str(folder):
                found.append(process.pid)
    return found


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_a_stopped_run_takes_its_fine_tunings_with_it_and_later_makes_only_what_is_missing(
    line, shape, tasks, number
):
    words = (*tasks, "--scores.tasks", "task")
    run = f"stopped-{number.name}"
    code, said = stopped(line, shape, number, run, *words)

    assert code == (-9 if number == signal.SIGKILL else 0), said
    deadline = time.monotonic() + 2  # a fine-tuning takes longer
    while fine_tunings_of(line.folder) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert not fine_tunings_of(line.folder)
    sheet = json.loads((line.folder / run / "scores" / "step-20" / "scores.json").read_text())
    assert len(sheet["tasks"]["task"]["values"]) == 1

    line.pretrain(*RUN, *words, "--out", run)

    (row,) = scores(line, run)
    assert row["values"][0] == sheet["tasks"]["task"]["values"][0]
    assert len(row["values"]) == 2
    assert (line.folder / run / "model" / "manifest.json").exists()
    kept = (line.folder / run / "scores").rglob("*")
    assert [path.name for path in kept] == ["step-20", "scores.json"]


def test_a_task_that_is_not_there_is_refused_before_training(line, shape):
    tasks = ("--scores.tasks", "nowhere", "--out", "refused")
    done = line("pretrain", "--tokens", "tokens", *shape, *RUN, *tasks)

    assert done.returncode == 2
    assert "--scores.tasks nowhere: no such folder" in done.stderr
    assert not (line.folder / "refused").exists()
