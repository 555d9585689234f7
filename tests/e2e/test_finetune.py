"""Fine-tuning by the real command line: tables, folds, seeds, kills, processes."""

import json
import random
import signal
import time

import pytest

from .processes import (
    Started,
    finished,
    results,
    tensors,
    torchrun,
    wait_for_rows,
    weights,
    written,
)

pytestmark = pytest.mark.e2e

STEPS, KILLS = 24, 4
FLAGS = (
    *("--model", "pretrain/model", "--batch", "8", "--optim.peak-lr", "3e-3"),
    *("--precision", "fp32", "--device", "cpu", "--log-every", "2"),
)
WATERS = ("river", "fish", "garden")


def row(text, kind, dice):
    """A row whose label can be learnt from the words of its text."""
    found = [word for word in WATERS if word in text]
    match kind:
        case "class":
            yes = text.split()[2] in ("sees", "hears", "finds", "likes")
            return {"text": text, "label": "yes" if yes else "no"}
        case "several":
            return {"text": text, "label": "|".join(found)}
        case "number":
            return {"text": text, "label": len(found) + 0.5}
    other = text if dice.random() < 0.5 else "The hen meets the cow in the market."
    return {"text": text, "second": other, "label": "same" if other == text else "other"}


@pytest.fixture(scope="module")
def tables(line):
    """The texts of the line's own task as a table of each kind."""
    dice = random.Random(1)
    for kind in ("class", "several", "number", "pair"):
        (line.folder / "tables" / kind).mkdir(parents=True)
        for split, count in (("train", 64), ("dev", 24)):
            source = line.folder / "task" / f"{split}.jsonl"
            texts = [json.loads(one)["text"] for one in source.read_text().splitlines()[:count]]
            rows = [json.dumps(row(text, kind, dice)) + "\n" for text in texts]
            (line.folder / "tables" / kind / f"{split}.jsonl").write_text("".join(rows))
    return line


def words(out, *more, data="class"):
    return (*FLAGS, "--data", f"tables/{data}", "--out", f"tuned/{out}", *more)


def manifest(folder):
    return json.loads((folder / "model" / "manifest.json").read_text(encoding="utf-8"))


KINDS = {
    "class": ((), ("accuracy", "f1", "macro_f1", "mcc")),
    "several": (("--columns.target", "several"), ("micro_f1", "macro_f1", "exact_match")),
    "number": (("--columns.target", "number"), ("pearson", "spearmanr", "combined")),
    "pair": (("--columns.pair", "second"), ("accuracy", "f1", "macro_f1", "mcc")),
}


LEARNS = ("--epochs", "4", "--restarts", "0", "--optim.peak-lr", "1e-2")


@pytest.mark.parametrize("kind", KINDS)
def test_a_table_is_learnt_and_evaluate_says_what_training_said(kind, tables):
    """The scores on dev are those that chose the model, under the same names."""
    flags, names = KINDS[kind]
    folder = tables.folder / "tuned" / kind
    columns = flags if kind == "pair" else ()

    said = finished(tables, words(kind, *LEARNS, *flags, data=kind), command="finetune")
    done = tables.good(
        *("evaluate", "--model", f"tuned/{kind}/model", "--data", f"tables/{kind}", *columns),
        *("--engine.precision", "fp32", "--engine.device", "cpu"),
    )

    assert "64 examples to train and 24 for dev" in said
    facts, found = manifest(folder)["facts"], json.loads(done.stdout)
    assert found["examples"] == 24
    assert (found["model"], found["data"]) == (f"tuned/{kind}/model", f"tables/{kind}")
    for name in names:
        assert found[name] == pytest.approx(facts[f"dev_{name}"], abs=1e-5), name
    looks = [one for one in written(folder) if one["kind"] == "dev"]
    assert [one["step"] for one in looks] == [8, 16, 24, 32]
    assert facts[f"dev_{facts['metric']}"] == max(one[facts["metric"]] for one in looks)
    assert f"| {names[0]} |" in (folder / "model" / "README.md").read_text()
    assert not (folder / "checkpoints").exists()
    assert json.loads((folder / "dev.json").read_text())


def test_what_is_done_is_not_done_again(tables):
    once = words("done", "--steps", "4")
    finished(tables, once, command="finetune")
    folder = tables.folder / "tuned" / "done"
    before = (folder / "metrics.jsonl").read_bytes(), manifest(folder)

    said = finished(tables, once, command="finetune")

    assert said.count("\n") == 1
    assert ((folder / "metrics.jsonl").read_bytes(), manifest(folder)) == before


def test_each_fold_is_dev_once(tables):
    said = finished(
        tables, words("folds", "--folds", "2", "--steps", "6", "--at-once", "2"), command="finetune"
    )

    folder = tables.folder / "tuned" / "folds"
    table = json.loads((folder / "many.json").read_text())
    assert [run["name"] for run in table["runs"]] == ["fold-0", "fold-1"]
    logs = [(folder / "runs" / f"fold-{fold}.log").read_text() for fold in range(2)]
    assert all("32 examples to train and 32 for dev" in log for log in logs)
    assert table["summary"][""]["accuracy"]["runs"] == 2
    assert manifest(folder)["facts"]["run"] == table["model"]
    assert "all runs: dev accuracy median" in said


def test_two_seeds_at_once_are_the_runs_they_would_be_alone(tables):
    flags = ("--steps", "6", "--seeds", "2", "--at-once", "2")
    finished(tables, words("seeds", *flags), command="finetune")
    finished(tables, words("alone-1", "--steps", "6", "--seed", "1"), command="finetune")

    folder = tables.folder / "tuned" / "seeds"
    table = json.loads((folder / "many.json").read_text())
    assert [(run["name"], run["seed"]) for run in table["runs"]] == [("seed-0", 0), ("seed-1", 1)]
    first, second = (weights(folder / "runs" / f"seed-{seed}") for seed in range(2))
    assert first != second == weights(tables.folder / "tuned" / "alone-1")
    assert weights(folder) == weights(folder / "runs" / table["model"])


TRAINING = ("--steps", STEPS, "--evaluate-every", "3", "--dropout", "0.1", "--layer-decay", "0.9")


@pytest.mark.timeout(400)
def test_killed_at_random_moments_a_training_ends_as_if_never_stopped(tables):
    """Some rows and some milliseconds after each start."""
    finished(tables, words("straight", *TRAINING), command="finetune")
    straight, folder = (tables.folder / "tuned" / name for name in ("straight", "killed"))
    dice, begun_on_a_checkpoint = random.Random(0), 0
    for _ in range(KILLS):
        begun_on_a_checkpoint += any((folder / "checkpoints").glob("step-*"))
        started = Started(tables, words("killed", *TRAINING), command="finetune")
        wait_for_rows(folder, "train", dice.randint(1, 3), going=started.going)
        time.sleep(dice.uniform(0, 0.03))
        started.kill()
        codes, said = started.end()
        assert codes == [-9], said

    finished(tables, words("killed", *TRAINING), command="finetune")

    resumed = [one["step"] for one in written(folder) if one["kind"] == "resume"]
    assert len(resumed) == begun_on_a_checkpoint + 1
    assert weights(folder) == weights(straight)
    ours, theirs = (results(one, ("train", "dev")) for one in (folder, straight))
    for rows in (ours, theirs):
        for one in rows.values():
            one.pop("examples_per_s", None)
    assert ours == theirs


RANKS = ("--steps", "12", "--evaluate-every", "4", "--dropout", "0", "--micro-tokens", "64")


@pytest.fixture(scope="module")
def alone(tables):
    finished(tables, words("ranks-1", *RANKS), command="finetune")
    return tables.folder / "tuned" / "ranks-1"


def assert_the_same_training(folder, alone):
    """Sums are added up in another order."""
    ours, theirs = (results(one, ("train", "dev")) for one in (folder, alone))
    assert ours.keys() == theirs.keys()
    for key, one in theirs.items():
        for name in ("loss", "lr", "examples", "tokens"):
            if name in one:
                assert ours[key][name] == pytest.approx(one[name], rel=1e-3, abs=1e-5), (key, name)
    ours, theirs = tensors(folder), tensors(alone)
    assert ours.keys() == theirs.keys()
    for name, tensor in theirs.items():
        assert float((ours[name] - tensor).abs().max()) < 1e-3, name


def test_torchrun_shares_the_work_and_not_the_result(tables, alone):
    said = torchrun(tables, words("torchrun", *RANKS), 2, command="finetune")

    assert "fp32 on 2 x cpu" in said
    assert said.count("best at step") == 1
    assert_the_same_training(tables.folder / "tuned" / "torchrun", alone)


@pytest.mark.parametrize("shard", ["zero3"])
def test_parting_moments_gradients_and_weights_changes_nothing(shard, tables, alone):
    flags = ("--parallel.shard", shard)
    finished(tables, words(shard, *RANKS, *flags), 2, command="finetune")

    assert_the_same_training(tables.folder / "tuned" / shard, alone)


def test_two_processes_that_were_stopped_go_on_where_they_were(tables, alone):
    folder = tables.folder / "tuned" / "stopped"
    started = Started(tables, words("stopped", *RANKS), 2, command="finetune")
    wait_for_rows(folder, "train", 2, going=started.going)
    started.signal(signal.SIGTERM, rank=1)
    codes, said = started.end()
    assert codes == [0, 0], said
    assert "SIGTERM: saved at step" in said

    said = finished(tables, words("stopped", *RANKS), 2, command="finetune")

    assert "going on from step" in said
    assert_the_same_training(folder, alone)
