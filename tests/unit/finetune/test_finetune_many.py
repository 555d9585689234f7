"""Several trainings of one command: which they are, how they are run, what is made of them."""

import dataclasses
import json
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from unmask.core import config as configs
from unmask.core import manifests
from unmask.core.errors import UserError
from unmask.core.manifests import Input
from unmask.finetune import many
from unmask.finetune.config import FinetuneConfig
from unmask.finetune.many import ALONE, _variants, run_many, varied

from .conftest import config

INPUTS = [Input("labelled data", "/d", "1", "file")]


@pytest.fixture
def settings(tmp_path):
    """A command in a folder of its own."""

    def made(*, seed=0, batch=8, **flags):
        return config(tmp_path / "m", out=tmp_path / "out", seed=seed, batch=batch, **flags)

    return made


class FakeChild:
    """Stands for a process that trains: writes a model with its scores, or fails."""

    scores, fails, log_of_all, most = {}, {}, [], 0
    at_work = 0

    def __init__(self, words, log, threads, environment):
        (flag,) = [word for word in words if word.startswith("--recipe=")]
        self.words, self.log, self.threads, self.environment = words, log, threads, environment
        self.recipe = configs.load(Path(flag.removeprefix("--recipe=")))
        self.name = log.name.removesuffix(".log")
        self.looked = 0
        self.ended = False
        FakeChild.at_work += 1
        FakeChild.most = max(FakeChild.most, FakeChild.at_work)
        FakeChild.log_of_all.append(self)

    @classmethod
    def begun(cls, words, log, threads, environment):
        return cls(words, log, threads, environment)

    @property
    def going(self):
        self.looked += 1
        if self.looked < 2:
            return True
        FakeChild.at_work -= 1
        if self.name not in self.fails:
            self._write()
        return False

    @property
    def process(self):
        return SimpleNamespace(returncode=int(self.name in self.fails))

    def _write(self):
        run = self.log.with_suffix("")
        folder = run / "model"
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "weights").write_text(self.name)
        (run / "dev.json").write_text(json.dumps(self.name))
        score = self.scores.get(self.name, 0.5)
        facts = {"metric": "accuracy", "dev_accuracy": score, "dev_mcc": score / 2, "best_step": 3}
        manifests.write(folder, "finetune", {}, [], facts)

    def complaint(self):
        return self.fails[self.name]

    def last_word(self):
        return "done"

    def end(self):
        self.ended = True


@pytest.fixture(autouse=True)
def children(monkeypatch):
    """The processes that were begun."""
    monkeypatch.setattr(many, "Child", FakeChild)
    monkeypatch.setattr(many, "WAIT_S", 0)
    monkeypatch.setattr(FakeChild, "log_of_all", [])
    monkeypatch.setattr(FakeChild, "scores", {})
    monkeypatch.setattr(FakeChild, "fails", {})
    monkeypatch.setattr(FakeChild, "most", 0)
    monkeypatch.setattr(FakeChild, "at_work", 0)
    monkeypatch.delenv("WORLD_SIZE", raising=False)
    return FakeChild


def names(settings):
    return [variant.name for variant in _variants(settings)]


@pytest.mark.parametrize(
    ("flags", "expected"),
    [
        ({"seeds": 3}, ["seed-0", "seed-1", "seed-2"]),
        ({"folds": 2}, ["fold-0", "fold-1"]),
        ({"sweep_lr": (1e-5, 2e-5)}, ["lr-1e-05-seed-0", "lr-2e-05-seed-0"]),
        ({"sweep_batch": (16, 32)}, ["batch-16-seed-0", "batch-32-seed-0"]),
        (
            {"sweep_lr": (1e-5, 3e-5), "sweep_batch": (16,), "seeds": 2},
            [
                "lr-1e-05-batch-16-seed-0",
                "lr-1e-05-batch-16-seed-1",
                "lr-3e-05-batch-16-seed-0",
                "lr-3e-05-batch-16-seed-1",
            ],
        ),
        (
            {"sweep_lr": (1e-5,), "folds": 2},
            ["lr-1e-05-fold-0", "lr-1e-05-fold-1"],
        ),
    ],
    ids=str,
)
def test_every_training_has_a_name_of_what_it_varies(flags, expected, settings):
    assert names(settings(**flags)) == expected


def test_seeds_begin_at_the_seed_and_folds_share_it(settings):
    assert names(settings(seeds=2, seed=7)) == ["seed-7", "seed-8"]
    seeds = [variant.config.seed for variant in _variants(settings(seeds=2, seed=7))]
    folds = [(v.config.seed, v.config.fold) for v in _variants(settings(folds=2, seed=7))]

    assert seeds == [7, 8]
    assert folds == [(7, 0), (7, 1)]


def test_a_variant_is_one_training_that_differs_in_what_it_varies_alone(settings):
    whole = settings(sweep_lr=(1e-5,), sweep_batch=(4,), folds=3, at_once=2)
    for variant in _variants(whole):
        one = variant.config
        assert not varied(one)
        assert one.optim == dataclasses.replace(whole.optim, peak_lr=1e-5)
        assert (one.batch, one.folds, one.at_once) == (4, 3, 1)
        assert one.out == whole.out / "runs" / variant.name
        same = {"optim", "batch", "fold", "out", *ALONE}
        for field in dataclasses.fields(FinetuneConfig):
            if field.name not in same:
                assert getattr(one, field.name) == getattr(whole, field.name), field.name


@pytest.mark.parametrize(
    ("flags", "expected"),
    [
        ({}, False),
        ({"seeds": 2}, True),
        ({"folds": 2}, True),
        ({"sweep_lr": (1e-5,)}, True),
        ({"sweep_batch": (8,)}, True),
    ],
    ids=str,
)
def test_a_command_stands_for_several_trainings_where_it_says_so(flags, expected, settings):
    assert varied(settings(**flags)) == expected


@pytest.mark.parametrize(
    ("flags", "said"),
    [
        ({"sweep_batch": (0,)}, "--batch 0: too small"),
        ({"sweep_lr": (0.0,)}, "--optim.peak-lr 0.0: must be positive"),
        ({"sweep_lr": (1e-5, 0.00001)}, "lr-1e-05-seed-0 is asked for twice"),
    ],
    ids=str,
)
def test_a_grid_that_cannot_be_is_refused_before_it_begins(flags, said, settings, children):
    with pytest.raises(UserError) as caught:
        run_many(settings(**flags), INPUTS)

    assert caught.value.what == said
    assert children.log_of_all == []


def test_each_is_a_process_that_reads_a_recipe_of_its_own(settings, children, monkeypatch):
    monkeypatch.setattr(many.os, "cpu_count", lambda: 8)
    whole = settings(seeds=3, at_once=2)

    run_many(whole, INPUTS)

    begun = children.log_of_all
    assert [child.name for child in begun] == ["seed-0", "seed-1", "seed-2"]
    assert children.most == 2
    for child, variant in zip(begun, _variants(whole), strict=True):
        assert child.words[0] == "finetune"
        assert child.recipe == configs.plain(variant.config)
        assert child.threads == 4
        assert child.log == whole.out / "runs" / f"{variant.name}.log"


@pytest.mark.parametrize(
    ("cards", "expected"), [(0, [None] * 3), (1, [None] * 3), (2, ["0", "1", "0"])]
)
def test_each_slot_has_a_card_of_its_own_where_there_are_several(cards, expected, monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: cards > 0)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: cards)

    found = [many._card(slot) for slot in range(3)]

    assert [one.get("CUDA_VISIBLE_DEVICES") for one in found] == expected


def test_a_slot_that_is_free_is_taken_by_the_next(settings, children, monkeypatch):
    monkeypatch.setattr(many, "_card", lambda slot: {"SLOT": str(slot)})

    run_many(settings(seeds=4, at_once=2), INPUTS)

    assert [child.environment["SLOT"] for child in children.log_of_all] == ["0", "1", "0", "1"]


@pytest.mark.parametrize(
    ("scores", "median"),
    [
        ([0.9, 0.1, 0.5], "seed-2"),
        ([0.9, 0.1, 0.5, 0.6], "seed-2"),
        ([0.3, 0.3, 0.3], "seed-1"),
        ([0.4], "seed-0"),
    ],
)
def test_the_model_is_the_run_of_the_median(scores, median, settings, children):
    """Of an even number the lower one of the two in the middle, which is a run, too."""
    children.scores.update({f"seed-{number}": score for number, score in enumerate(scores)})
    whole = settings(seeds=len(scores), sweep_lr=() if len(scores) > 1 else (1e-5,))
    children.scores["lr-1e-05-seed-0"] = 0.4

    run_many(whole, INPUTS)

    found = manifests.read(whole.out / "model").facts
    assert found["run"].endswith(median)
    assert (whole.out / "model" / "weights").read_text() == found["run"]
    assert json.loads((whole.out / "dev.json").read_text()) == found["run"]
    assert json.loads((whole.out / "many.json").read_text())["model"] == found["run"]


def test_the_best_setting_is_that_of_the_best_median_and_not_of_the_luckiest_run(
    settings, children, capsys
):
    lucky, steady = [0.1, 0.2, 0.99], [0.5, 0.6, 0.55]
    for rate, some in (("1e-05", lucky), ("2e-05", steady)):
        children.scores.update({f"lr-{rate}-seed-{n}": score for n, score in enumerate(some)})
    whole = settings(seeds=3, sweep_lr=(1e-5, 2e-5))

    run_many(whole, INPUTS)

    facts = manifests.read(whole.out / "model").facts
    table = json.loads((whole.out / "many.json").read_text())
    assert facts["run"] == table["model"] == "lr-2e-05-seed-2"
    assert [run["name"] for run in table["runs"]] == names(whole)
    assert [run["dev_accuracy"] for run in table["runs"]] == [*lucky, *steady]
    assert table["summary"].keys() == {"lr-1e-05", "lr-2e-05"}
    for setting, some in (("lr-1e-05", lucky), ("lr-2e-05", steady)):
        for name, factor in (("accuracy", 1.0), ("mcc", 0.5)):
            found = table["summary"][setting][name]
            values = np.array(some) * factor
            assert found["runs"] == 3
            assert found["median"] == pytest.approx(np.median(values))
            assert found["mean"] == pytest.approx(values.mean())
            assert (found["minimum"], found["maximum"]) == (values.min(), values.max())
            assert found["low"] < found["mean"] < found["high"]
    assert facts["spread"] == table["summary"]["lr-2e-05"]
    said = capsys.readouterr().err
    assert "lr-1e-05: dev accuracy median 0.2000 (0.1000-0.9900 over 3 runs, 95 % interval" in said
    assert "lr-2e-05-seed-2, the run of the median, is the model" in said


def test_one_run_a_setting_has_no_interval(settings, children, capsys):
    run_many(settings(sweep_lr=(1e-5, 2e-5)), INPUTS)

    said = capsys.readouterr().err
    assert "lr-1e-05: dev accuracy median 0.5000 (0.5000-0.5000 over 1 runs)" in said
    assert "interval" not in said


def test_a_training_that_fails_is_named_when_the_others_are_done(settings, children):
    children.fails["seed-1"] = "--optim.peak-lr 3: too much"
    whole = settings(seeds=3)

    with pytest.raises(UserError) as caught:
        run_many(whole, INPUTS)

    assert caught.value.what == (
        "1 of 3 trainings failed, the first with: --optim.peak-lr 3: too much"
    )
    assert caught.value.hint == (
        f"see {whole.out / 'runs' / 'seed-1.log'}; the same command goes on with what is missing"
    )
    assert len(children.log_of_all) == 3
    assert not (whole.out / "model").exists()


def test_the_same_command_again_does_nothing(settings, children):
    run_many(settings(seeds=2), INPUTS)
    children.log_of_all.clear()

    run_many(settings(seeds=2), INPUTS)

    assert children.log_of_all == []


def test_what_interrupts_it_ends_the_processes(settings, children, monkeypatch):
    def interrupted(child):
        raise KeyboardInterrupt

    monkeypatch.setattr(children, "going", property(interrupted))

    with pytest.raises(KeyboardInterrupt):
        run_many(settings(seeds=3, at_once=2), INPUTS)

    assert [child.ended for child in children.log_of_all] == [True, True]


def test_torchrun_and_several_trainings_do_not_go_together(settings, monkeypatch):
    monkeypatch.setenv("WORLD_SIZE", "2")

    with pytest.raises(UserError) as caught:
        run_many(settings(seeds=2), INPUTS)

    assert caught.value.what == "several trainings under torchrun: each is a process of its own"
    assert "--at-once" in caught.value.hint
