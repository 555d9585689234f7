import json
import os
import struct
import sys
from types import ModuleType, SimpleNamespace

import pytest
from tensorboardX.proto.event_pb2 import Event

from unmask.core.errors import UserError
from unmask.train import tracking
from unmask.train.tracking import Tracker

CONFIG = {"steps": 100, "optim": {"peak_lr": 1e-3}}
TRAIN = {
    "kind": "train",
    "step": 50,
    "time": 1e9,
    "loss": 2.5,
    "mfu": None,
    "seconds": {"data": 0.1},
}


def events(folder):
    """Every record of the event files, in the order of their names: length, crc, data, crc."""
    found = []
    for path in sorted((folder / "tensorboard").iterdir()):
        data = path.read_bytes()
        while data:
            (size,) = struct.unpack("<Q", data[:8])
            found.append(Event.FromString(data[12 : 12 + size]))
            data = data[16 + size :]
    return found


def curves(folder):
    """What TensorBoard shows: a session that starts takes back what lies at its step and after."""
    shown = {}
    for event in events(folder):
        if event.session_log.status == 1:
            shown = {key: value for key, value in shown.items() if key[1] < event.step}
        for value in event.summary.value:
            if value.HasField("simple_value"):
                shown[value.tag, event.step] = round(value.simple_value, 6)
    return shown


def train(step, loss):
    return {"kind": "train", "step": step, "time": 1e9 + step, "loss": loss}


def test_every_number_of_a_row_is_told_by_its_name_step_and_time(tmp_path):
    tracker = Tracker(tmp_path, CONFIG)
    tracker.tell(TRAIN)
    tracker.tell({"kind": "activations", "step": 50, "kurtosis": [3.0, 9.5], "largest": [1.0, 2.0]})
    row = {"task": "cola", "metric": "mcc", "mean": 0.25, "values": [0.25]}
    tracker.tell({"kind": "scores", "step": 40} | row)

    # Nothing is closed yet: what is told outlives a kill.
    assert curves(tmp_path) == {
        ("train/loss", 50): 2.5,
        ("train/seconds/data", 50): 0.1,
        ("activations/kurtosis/00", 50): 3.0,
        ("activations/kurtosis/01", 50): 9.5,
        ("activations/largest/00", 50): 1.0,
        ("activations/largest/01", 50): 2.0,
        ("scores/cola/mcc/mean", 40): 0.25,
        ("scores/cola/mcc/values/00", 40): 0.25,
    }
    assert {event.wall_time for event in events(tmp_path) if event.step == 50} >= {1e9}
    tracker.close()


def test_a_training_that_begins_anew_takes_its_curves_back(tmp_path):
    tracker = Tracker(tmp_path, CONFIG)
    tracker.tell(train(50, 1.0))
    tracker.tell({"kind": "restart", "step": 60})
    tracker.tell(train(25, 2.0))
    tracker.close()

    assert curves(tmp_path) == {("train/loss", 25): 2.0}


def test_a_resumed_run_goes_on_in_the_same_curves(tmp_path):
    first = Tracker(tmp_path, CONFIG)
    for step in (50, 100, 150):
        first.tell(train(step, 1.0))
    first.close()
    second = Tracker(tmp_path, CONFIG, resumed=100)
    second.tell({"kind": "resume", "step": 100})
    second.tell(train(125, 2.0))
    second.close()

    assert curves(tmp_path) == {
        ("train/loss", 50): 1.0,
        ("train/loss", 100): 1.0,
        ("train/loss", 125): 2.0,
    }


def test_a_rollback_takes_back_what_lies_after_it(tmp_path):
    tracker = Tracker(tmp_path, CONFIG)
    for row in (
        train(50, 1.0),
        train(100, 90.0),
        {"kind": "rollback", "step": 100, "to": 50},
        train(75, 0.9),
    ):
        tracker.tell(row)
    tracker.close()

    assert curves(tmp_path) == {("train/loss", 50): 1.0, ("train/loss", 75): 0.9}


def test_events_are_told_as_words(tmp_path):
    tracker = Tracker(tmp_path, CONFIG)
    tracker.tell({"kind": "resume", "step": 7})
    tracker.tell({"kind": "stop", "step": 9, "signal": "SIGTERM"})
    tracker.close()

    texts = [
        (event.step, value.tensor.string_val[0])
        for event in events(tmp_path)
        for value in event.summary.value
    ]
    assert texts == [(7, b"resume"), (9, b"stop signal SIGTERM")]


class StandIn(ModuleType):
    """As much of wandb as is used."""

    class Error(Exception):
        pass

    class Settings:
        def __init__(self, **settings):
            self.settings = settings

    def __init__(self, refusal=None):
        super().__init__("wandb")
        self.begun, self.rows, self.ended, self.metrics = [], [], [], []
        self.refusal = refusal

    def init(self, **options):
        if self.refusal:
            raise self.Error(self.refusal)
        self.begun.append(options)
        return SimpleNamespace(
            log=self.rows.append,
            finish=lambda exit_code: self.ended.append(exit_code),
            define_metric=lambda *names, **more: self.metrics.append((names, more)),
        )


@pytest.fixture
def wandb(monkeypatch):
    stand_in = StandIn()
    monkeypatch.setitem(sys.modules, "wandb", stand_in)
    return stand_in


def test_wandb_is_told_the_same_and_orders_it_by_our_steps(tmp_path, wandb):
    tracker = Tracker(tmp_path / "run", CONFIG, wandb="project")
    tracker.tell(TRAIN)
    tracker.tell({"kind": "rollback", "step": 60, "to": 50})
    tracker.close(exit_code=1)

    assert wandb.rows == [
        {"step": 50, "train/loss": 2.5, "train/seconds/data": 0.1},
        {"step": 60, "events": "rollback to 50"},
    ]
    assert wandb.metrics == [(("step",), {}), (("*",), {"step_metric": "step"})]
    assert wandb.ended == [1]
    (begun,) = wandb.begun
    assert begun["project"] == "project"
    assert begun["name"] == "run"
    assert begun["config"] == CONFIG
    assert begun["resume"] == "allow"


def test_a_resumed_run_is_the_same_run_of_wandb(tmp_path, wandb):
    for resumed in (None, 50):
        Tracker(tmp_path, CONFIG, resumed=resumed, wandb="project").close()

    known = json.loads((tmp_path / "wandb.json").read_text())["id"]
    assert [begun["id"] for begun in wandb.begun] == [known, known]


def test_two_runs_are_two_runs_of_wandb(tmp_path, wandb):
    for name in ("one", "two"):
        Tracker(tmp_path / name, CONFIG, wandb="project").close()

    first, second = wandb.begun
    assert first["id"] != second["id"]


def test_a_missing_wandb_names_the_extra(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "wandb", None)

    with pytest.raises(
        UserError, match=r"--track\.wandb project: wandb is not installed"
    ) as caught:
        Tracker(tmp_path, CONFIG, wandb="project")
    assert "unmask[track]" in caught.value.hint


def test_a_wandb_that_does_not_let_us_in_says_how(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "wandb", StandIn("no API key configured"))

    with pytest.raises(UserError, match="no API key") as caught:
        Tracker(tmp_path, CONFIG, wandb="project")
    assert "wandb login" in caught.value.hint
    assert "WANDB_MODE=offline" in caught.value.hint


def test_without_wandb_it_is_not_imported(tmp_path, monkeypatch):
    monkeypatch.setattr(tracking, "_imported", lambda _project: pytest.fail("imported"))

    Tracker(tmp_path, CONFIG).close()


def test_the_real_wandb_takes_it_offline(tmp_path, monkeypatch):
    pytest.importorskip("wandb", reason="the extra [track] is not installed")
    for name in [name for name in os.environ if name.startswith("WANDB_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("WANDB_MODE", "offline")

    for resumed in (None, 50):
        tracker = Tracker(tmp_path, CONFIG, resumed=resumed, wandb="project")
        tracker.tell(TRAIN)
        tracker.close()

    known = json.loads((tmp_path / "wandb.json").read_text())["id"]
    assert list((tmp_path / "wandb").glob(f"offline-run-*/run-{known}.wandb"))
