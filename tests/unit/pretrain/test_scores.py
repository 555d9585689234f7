import dataclasses
import json
import types

import pytest
import torch

from unmask.core import manifests
from unmask.core.errors import UserError
from unmask.pretrain.config import ScoresConfig
from unmask.pretrain.scoring import scores as module
from unmask.pretrain.scoring.scores import Scores
from unmask.pretrain.scoring.tasks import refuse_unready
from unmask.train.ranks import Ranks

CPU = torch.device("cpu")


@dataclasses.dataclass
class FakeTuning:
    """A fine-tuning that goes on until it is told its score."""

    words: list
    out: object
    threads: int
    going: bool = True
    found: object = None
    forgotten: bool = False
    ended: bool = False

    log = property(lambda self: f"{self.out}.log")

    def score(self):
        return self.found

    def complaint(self):
        return "no column 'text'"

    def forget(self):
        self.forgotten = True

    def end(self):
        self.ended = True


class Run:
    """A run whose weights are a word, with what was begun and what was told."""

    def __init__(self, folder, tasks=("sst", "cola"), *, rank=0, **flags):
        self.folder, self.weights, self.rows, self.published = folder, "first", [], []
        self.tasks = tuple(folder / "tasks" / name for name in tasks)
        for task in self.tasks:
            task.mkdir(parents=True, exist_ok=True)
        flags = {"every": 10, "seeds": 2} | flags
        config = ScoresConfig(tasks=self.tasks, **flags)
        self.scores = Scores(config, folder / "scores", Ranks(CPU, rank, 1), self.publish)

    def publish(self, out):
        self.published.append(out)
        with manifests.building(out) as folder:
            (folder / "model.safetensors").write_text(self.weights)
            manifests.write(folder, "pretrain", {}, [], {})

    def collect(self):
        self.rows += self.scores.collect()

    def done(self, value, metric="accuracy"):
        """The fine-tuning that runs ends with this score; None if it fails."""
        self.scores.tuning.found = None if value is None else (metric, value)
        self.scores.tuning.going = False
        self.collect()

    def finish(self, *values):
        self.collect()
        for value in values:
            self.done(value)

    def sheet(self, step):
        return json.loads((self.folder / "scores" / f"step-{step}" / "scores.json").read_text())


@pytest.fixture
def begun(monkeypatch):
    """Every fine-tuning that was begun, as (its folder, its seed)."""
    found = []

    def begin(words, out, threads):
        found.append((out.parent.name, out.name))
        return FakeTuning(words, out, threads)

    monkeypatch.setattr(module, "Tuning", types.SimpleNamespace(begun=begin))
    return found


@pytest.fixture
def run(tmp_path, begun):
    return Run(tmp_path)


def test_the_model_is_scored_every_so_many_steps_and_at_the_last(run):
    due = [step for step in range(1, 26) if run.scores.begin(step, total=25)]

    assert due == [10, 20, 25]
    assert [out.parent.name for out in run.published] == ["step-10", "step-20", "step-25"]


def test_without_tasks_nothing_is_done(tmp_path):
    run = Run(tmp_path, tasks=())

    assert not run.scores.begin(10, total=10)
    assert run.published == []


def test_other_processes_give_their_weights_and_start_nothing(tmp_path, begun):
    second = Run(tmp_path, rank=1)

    assert second.scores.begin(10, total=20)
    second.collect()

    assert second.published
    assert (second.scores.left, begun) == (0, [])


def test_fine_tunings_run_one_at_a_time_task_by_task_and_seed_by_seed(run, begun):
    run.scores.begin(10, total=20)
    run.scores.begin(20, total=20)

    run.finish(0.5, 0.7)

    assert begun == [
        ("step-10", "sst-seed-0"),
        ("step-10", "sst-seed-1"),
        ("step-10", "cola-seed-0"),
    ]
    run.collect()
    assert len(begun) == 3
    assert run.scores.left == 6


def test_a_row_has_the_mean_the_lowest_and_the_highest_of_the_seeds(run, capsys):
    run.scores.begin(10, total=20)
    run.finish(0.5, 0.75)

    (row,) = run.rows
    assert row.pop("time") > 1e9
    place = {"kind": "scores", "step": 10, "task": "sst", "metric": "accuracy"}
    assert row == place | {"mean": 0.625, "low": 0.5, "high": 0.75, "values": [0.5, 0.75]}
    assert "step 10: sst accuracy 0.625, 0.500 to 0.750 in 2 seeds" in capsys.readouterr().err


def test_a_fine_tuning_gets_the_recipes_the_device_its_seed_and_half_the_threads(
    tmp_path, begun, monkeypatch
):
    run = Run(tmp_path, recipe=tmp_path / "all.toml")
    (run.tasks[0] / "finetune.toml").write_text('metric = "mcc"')
    monkeypatch.setattr(torch, "get_num_threads", lambda: 6)
    run.scores.begin(10, total=20)
    run.collect()

    tuning = run.scores.tuning
    assert tuning.words == [
        "--device=cpu",
        f"--recipe={tmp_path / 'all.toml'}",
        f"--recipe={run.tasks[0] / 'finetune.toml'}",
        f"--data={run.tasks[0]}",
        f"--model={tmp_path / 'scores' / 'step-10' / 'model'}",
        "--seed=0",
    ]
    assert tuning.threads == 3


def test_of_a_fine_tuning_only_its_score_is_kept(run):
    run.scores.begin(10, total=20)
    run.collect()
    tuning = run.scores.tuning
    run.done(0.5)

    assert tuning.forgotten


def test_what_it_costs_is_said_once(run, capsys):
    run.scores.begin(10, total=20)
    run.finish(0.5, 0.5, 0.5)

    assert capsys.readouterr().err.count("fine-tuning shares the cores") == 1


def test_a_task_that_fails_has_no_row_and_the_others_go_on(run, begun, capsys):
    run.scores.begin(10, total=20)
    run.finish(0.5, None, 0.8, 0.6)

    assert [row["task"] for row in run.rows] == ["cola"]
    assert not run.scores.queue
    said = capsys.readouterr().err
    assert f"step 10: sst has no score, see {run.folder}/scores/step-10/sst-seed-1.log" in said
    assert "(no column 'text')" in said
    assert (run.published[0] / "model.safetensors").exists()


def test_the_model_is_removed_once_every_task_is_scored(run):
    run.scores.begin(10, total=20)
    run.finish(0.5, 0.5, 0.5)
    assert run.published[0].exists()

    run.done(0.5)

    assert not run.published[0].exists()
    assert run.sheet(10)["tasks"]["cola"]["values"] == [0.5, 0.5]


def test_a_resumed_run_makes_only_what_is_missing(run, tmp_path, begun):
    run.scores.begin(10, total=20)
    run.finish(0.5, 0.7, 0.2)
    begun.clear()

    again = Run(tmp_path)
    again.scores.resume(12, total=20)
    again.finish(0.4)

    assert begun == [("step-10", "cola-seed-1")]
    assert [(row["task"], row["values"]) for row in again.rows] == [("cola", [0.2, 0.4])]
    assert again.published == []


def test_a_row_that_was_not_written_before_the_kill_is_written_after_it(run, tmp_path, begun):
    run.scores.begin(10, total=20)
    run.finish(0.5)
    run.scores.tuning.found, run.scores.tuning.going = ("accuracy", 0.7), False
    next(run.scores.collect())  # killed before it comes to write it
    begun.clear()

    again = Run(tmp_path)
    again.scores.resume(10, total=20)
    again.collect()

    assert [row["values"] for row in again.rows] == [[0.5, 0.7]]
    assert begun == [("step-10", "cola-seed-0")]


def test_a_run_that_stopped_just_where_a_score_is_due_makes_it_when_it_is_resumed(run):
    run.scores.resume(10, total=20)

    assert [out.parent.name for out in run.published] == ["step-10"]
    assert run.scores.left == 4


def test_a_run_resumed_at_a_step_that_is_scored_does_not_score_it_again(run, tmp_path, begun):
    run.scores.begin(10, total=20)
    run.finish(*[0.5] * 4)
    begun.clear()

    again = Run(tmp_path)
    again.scores.resume(10, total=20)
    again.collect()

    assert (begun, again.rows, again.published) == ([], [], [])


def test_a_later_step_waits_until_the_run_is_there_again_and_its_scores_are_told_anew(
    run, tmp_path, begun
):
    run.scores.begin(10, total=20)
    run.finish(*[0.5] * 4)
    begun.clear()

    again = Run(tmp_path)
    again.scores.resume(5, total=20)
    again.collect()
    assert again.rows == []
    again.scores.begin(10, total=20)
    again.collect()

    assert begun == []
    assert [(row["task"], row["mean"]) for row in again.rows] == [("sst", 0.5), ("cola", 0.5)]


def test_a_later_step_that_was_not_finished_waits_until_the_run_is_there_again(
    run, tmp_path, begun
):
    run.scores.begin(10, total=20)
    run.collect()
    begun.clear()

    again = Run(tmp_path)
    again.scores.resume(5, total=20)
    again.collect()

    assert begun == []


def test_another_model_at_the_same_step_is_scored_anew(run, tmp_path, begun):
    run.scores.begin(10, total=20)
    run.finish(*[0.5] * 4)

    again = Run(tmp_path)
    again.weights = "other"
    again.scores.begin(10, total=20)
    again.finish(*[0.75] * 4)

    assert [row["mean"] for row in again.rows] == [0.75, 0.75]


def test_going_back_forgets_the_scores_of_later_steps(run, begun):
    run.scores.begin(10, total=30)
    run.finish(*[0.5] * 4)
    run.scores.begin(20, total=30)
    run.collect()
    tuning = run.scores.tuning

    run.scores.leave(10)

    assert tuning.ended
    assert (run.scores.left, run.scores.tuning) == (0, None)
    assert [path.name for path in run.scores.folder.iterdir()] == ["step-10"]


def test_going_back_lets_the_scores_of_earlier_steps_go_on(run):
    run.scores.begin(10, total=30)
    run.collect()
    run.scores.begin(20, total=30)

    run.scores.leave(10)

    assert not run.scores.tuning.ended
    assert run.scores.left == 4


def test_closing_ends_what_still_runs(run):
    run.scores.begin(10, total=20)
    run.collect()
    tuning = run.scores.tuning

    run.scores.close()

    assert tuning.ended


@pytest.fixture
def task(tmp_path):
    folder = tmp_path / "sst"
    folder.mkdir()
    for split in ("train", "dev"):
        (folder / f"{split}.tsv.gz").touch()
    return folder


def test_tasks_that_are_ready_are_accepted(task):
    refuse_unready(ScoresConfig(tasks=(task,)))


def test_tasks_that_cannot_be_scored_are_refused(task, tmp_path):
    def said(*tasks, **more):
        with pytest.raises(UserError) as caught:
            refuse_unready(ScoresConfig(tasks=tasks, **more))
        return caught.value.what

    assert said(tmp_path / "x") == f"--scores.tasks {tmp_path / 'x'}: no such folder"
    assert said(task, task).endswith("another one is called sst, too")
    assert said(task, recipe=tmp_path / "no.toml").endswith("no.toml: no such recipe")
    (task / "finetune.toml").write_text("metric =")
    assert "not valid TOML" in said(task)
    (task / "dev.tsv.gz").unlink()
    assert said(task) == f"--scores.tasks {task}: has no dev.*"


def test_scoring_without_scikit_learn_is_refused(task, monkeypatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)

    with pytest.raises(UserError) as caught:
        refuse_unready(ScoresConfig(tasks=(task,)))

    assert "needs scikit-learn" in caught.value.what
    assert caught.value.hint == "pip install 'unmask[finetune]'"
