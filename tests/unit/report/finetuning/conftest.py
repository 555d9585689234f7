"""Fine-tunings as they write themselves down."""

import json
from xml.etree import ElementTree

import pytest

CONFIG = """\
data = "texts"
model = "small/model"
task = "{task}"
epochs = 3.0
batch = 32

[optim]
peak_lr = 2e-5
{more}"""
MACHINE = {
    "cpu": "A <processor>",
    "cores": 2,
    "gpus": [],
    "versions": {"unmask": "1", "torch": "2"},
}
LABELS = ["bad", "good", "so so"]
CONFUSION = [[8, 1, 1], [0, 6, 0], [2, 0, 2]]
BINS = [
    {"lower": 0.4, "upper": 0.5, "count": 4, "confidence": 0.45, "accuracy": 0.25},
    {"lower": 0.9, "upper": 1.0, "count": 16, "confidence": 0.95, "accuracy": 0.9375},
]
DETAILS = {
    "labels": LABELS,
    "per_class": {
        "bad": {"precision": 0.8, "recall": 0.8, "f1": 0.8, "support": 10},
        "good": {"precision": 0.75, "recall": 1.0, "f1": 0.875, "support": 6},
        "so so": {"precision": 0.5, "recall": 0.5, "f1": 0.5, "support": 4},
    },
    "confusion": CONFUSION,
    "calibration": {"ece": 0.05, "brier": 0.31, "bins": BINS},
    "something new": [1],
}


def train(step, **more):
    row = {
        "kind": "train",
        "step": step,
        "time": 1e9 + step,
        "loss": 1.0 - step / 1000,
        "grad_norm": 1.5,
        "lr": 2e-5,
        "examples": 320,
        "tokens": 3200,
        "examples_per_s": 32.0,
        "tokens_per_s": 320.0,
        "skipped": 0,
        "memory_bytes": 1 << 30,
    }
    return row | more


def dev(step, mcc, accuracy=0.5):
    row = {"epoch": step / 100, "accuracy": accuracy, "mcc": mcc}
    return {"kind": "dev", "step": step, "time": 1e9 + step + 0.5} | row


def event(kind, step, **more):
    return {"kind": kind, "step": step, "time": 1e9 + step + 0.6} | more


def whole_run():
    """A training that was stuck, began anew, was killed, and was best in the middle."""
    return [
        train(50, loss=7.0),
        dev(100, 0.0),
        event("restart", 100),
        train(50),
        train(100),
        dev(100, 0.3),
        event("resume", 100),
        train(150),
        train(200, skipped=2),
        dev(200, 0.5, 0.8),
        train(300),
        dev(300, 0.4, 0.7),
    ]


FACTS = {
    "task": "cola",
    "metric": "mcc",
    "best_step": 200,
    "best_epoch": 2.0,
    "restarts": 1,
    "stuck": False,
    "dev_accuracy": 0.8,
    "dev_mcc": 0.5,
}


def write_manifest(folder, facts):
    folder.mkdir(parents=True, exist_ok=True)
    manifest = {"stage": "finetune", "config": {}, "inputs": [], "outputs": [], "facts": facts}
    manifest |= {"made": "2000-01-01", "machine": {}, "format": 1}
    (folder / "manifest.json").write_text(json.dumps(manifest))


def write_run(folder, rows, facts=None, details=None, *, task="cola", more=""):
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "config.toml").write_text(CONFIG.format(task=task, more=more))
    (folder / "machine.json").write_text(json.dumps(MACHINE))
    (folder / "metrics.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    if facts is not None:
        write_manifest(folder / "model", facts)
    if details is not None:
        (folder / "dev.json").write_text(json.dumps(details))
    return folder


def spread(scores, interval=None):
    low, high = interval or (None, None)
    ordered = sorted(scores)
    return {
        "runs": len(scores),
        "median": ordered[len(ordered) // 2],
        "mean": sum(scores) / len(scores),
        "minimum": ordered[0],
        "maximum": ordered[-1],
        "low": low,
        "high": high,
    }


MCC = {"lr-1e-05": [0.5, 0.6, 0.7], "lr-2e-05": [0.55, 0.56, 0.6]}


def write_many(folder):
    """Two learning rates of three seeds each; the model is the median of the first."""
    runs = []
    for setting, scores in MCC.items():
        for seed, score in enumerate(scores):
            name = f"{setting}-seed-{seed}"
            facts = FACTS | {"dev_mcc": score, "dev_accuracy": 0.8}
            write_run(folder / "runs" / name, whole_run(), facts, DETAILS)
            runs.append({"name": name, "seed": seed} | facts)
    write_run(folder, [], FACTS, DETAILS, more="\n[many]\nsweep_lr = [1e-5, 2e-5]\n")
    (folder / "metrics.jsonl").unlink()
    summary = {
        "lr-1e-05": {"accuracy": spread([0.8] * 3), "mcc": spread(MCC["lr-1e-05"], (0.35, 0.85))},
        "lr-2e-05": {"accuracy": spread([0.8] * 3), "mcc": spread(MCC["lr-2e-05"], (0.5, 0.64))},
    }
    table = {"model": "lr-1e-05-seed-1", "summary": summary, "runs": runs}
    (folder / "many.json").write_text(json.dumps(table))
    return folder


def tree(html):
    """A page that is well-formed XML is read alike by every parser."""
    assert html.startswith("<!DOCTYPE html>\n<html ")
    return ElementTree.fromstring(html.partition("\n")[2])


def figures(html):
    """Every picture by its title."""
    return {figure.find("./figcaption/strong").text: figure for figure in tree(html).iter("figure")}


def rows(table):
    """The body of a table, row by row."""
    return [["".join(cell.itertext()) for cell in row] for row in table.iterfind("./tbody/tr")]


def drawing(picture):
    """The SVG of a picture, as a tree."""
    return ElementTree.fromstring(picture.drawing)


def titles(parts):
    """What is said of each where the pointer rests on it."""
    return [part.find("./title").text for part in parts]


@pytest.fixture
def folder(tmp_path):
    return write_run(tmp_path / "a run", whole_run(), FACTS, DETAILS)


@pytest.fixture
def many(tmp_path):
    return write_many(tmp_path / "several")
