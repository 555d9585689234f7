"""A run as it writes itself down."""

import json

import pytest

HOUR = 3600.0
TOKENS = 36_000
"""Of one row of training: at 10 a second, an hour."""


def train(step, hour, **more):
    row = {
        "kind": "train",
        "step": step,
        "time": 1e9 + hour * HOUR,
        "loss": 10.0 - step / 100,
        "lr": 6e-4,
        "tokens": TOKENS,
        "blocks": 300,
        "padding_share": 0.05,
        "tokens_per_s": 10.0,
        "grad_norm": 1.5,
        "skipped": 0,
        "mfu": 0.5,
        "memory_bytes": 3 << 30,
        "seconds": {
            "data": 0.01,
            "forward": 0.3,
            "backward": 0.6,
            "optimizer": 0.05,
            "communication": 0.2,
        },
    }
    return row | more


def valid(step, hour, loss=5.0, **more):
    scores = {"loss": loss, "perplexity": 2.718**loss, "accuracy": 0.25, "masked_tokens": 900}
    return {"kind": "valid", "step": step, "time": 1e9 + hour * HOUR} | scores | more


def activations(step, hour):
    row = {"kurtosis": [3.0, 4.0, 50.0 + step], "largest": [4.0, 8.0, 16.0 + step]}
    return {"kind": "activations", "step": step, "time": 1e9 + hour * HOUR} | row


def scores(step, hour, mean=0.8):
    spread = {"mean": mean, "low": mean - 0.02, "high": mean + 0.01}
    row = {"task": "sst2", "metric": "accuracy", "values": [mean - 0.02, mean + 0.01]}
    return {"kind": "scores", "step": step, "time": 1e9 + hour * HOUR} | row | spread


def event(kind, step, hour, **more):
    return {"kind": kind, "step": step, "time": 1e9 + hour * HOUR} | more


CONFIG = """\
tokens = "wiki"
family = "roberta"
steps = 400
batch = 300
length = 128

[model]
layers = 2
width = 64
heads = 2
"""
MACHINE = {
    "cpu": "A <processor>",
    "cores": 2,
    "gpus": [],
    "versions": {"unmask": "1", "torch": "2"},
}


def whole_run():
    """One of every kind of row; the run was killed, went back, left steps out, and stopped."""
    return [
        valid(0, 0, 10.5),
        train(50, 1),
        train(100, 2, mfu=None),
        valid(100, 2, 8.0),
        activations(100, 2),
        scores(100, 2.5),
        train(150, 3),
        event("resume", 100, 20),
        train(150, 21),
        train(200, 22, skipped=3, loss=60.0),
        event("rollback", 200, 22, to=150),
        train(200, 23),
        valid(200, 23, 7.0),
        activations(200, 23),
        scores(200, 23, 0.85),
        event("stop", 200, 23, signal="SIGTERM"),
    ]


def write_run(folder, rows):
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "config.toml").write_text(CONFIG)
    (folder / "machine.json").write_text(json.dumps(MACHINE))
    lines = "".join(json.dumps(row) + "\n" for row in rows)
    (folder / "metrics.jsonl").write_text(lines)
    return folder


@pytest.fixture
def folder(tmp_path):
    return write_run(tmp_path / "a run", whole_run())
