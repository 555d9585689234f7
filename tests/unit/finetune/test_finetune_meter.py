import json
import math
from types import SimpleNamespace

import pytest
import torch

from unmask.finetune import meter as module
from unmask.finetune.meter import Meter
from unmask.finetune.objective import Counts

from .conftest import CPU


def add(meter, loss, *, norm=2.0, divisor=4, examples=8, tokens=100):
    counts = Counts(torch.tensor([divisor, examples, tokens], dtype=torch.float64))
    meter.add(torch.tensor([loss * divisor]), torch.tensor(norm), counts)


@pytest.fixture
def now(monkeypatch):
    """A clock that a test sets."""
    found = SimpleNamespace(seconds=0.0)
    monkeypatch.setattr(module.time, "perf_counter", lambda: found.seconds)
    return found


def test_a_row_is_the_mean_of_its_steps_and_the_sum_of_what_they_held(now):
    meter = Meter()
    add(meter, 1.0, norm=2.0)
    add(meter, 3.0, norm=6.0, examples=4, tokens=60)
    now.seconds = 2.0

    row = meter.row(7, 0.5)

    assert row == {
        "kind": "train",
        "step": 7,
        "loss": 2.0,
        "grad_norm": 4.0,
        "lr": 0.5,
        "examples": 12,
        "tokens": 160,
        "examples_per_s": 6.0,
        "tokens_per_s": 80.0,
    }
    add(meter, 5.0)
    now.seconds = 3.0
    row = meter.row(8, 0.5)
    assert (row["loss"], row["examples"], row["examples_per_s"]) == (5.0, 8, 8.0)


def test_the_speed_is_that_of_the_steps_alone(now):
    """After a look at dev or a resume it is measured anew; the loss is that of all steps."""
    meter = Meter()
    add(meter, 1.0)
    now.seconds = 100.0
    meter.rewind()
    add(meter, 2.0, examples=6)
    now.seconds = 102.0

    row = meter.row(2, 0.1)

    assert (row["loss"], row["examples"], row["examples_per_s"]) == (1.5, 14, 3.0)


def test_a_step_without_a_number_is_left_out_of_the_mean(now):
    meter = Meter()
    for loss in (math.nan, 2.0, math.inf, 4.0):
        add(meter, loss)
    now.seconds = 1.0
    assert meter.row(4, 0.1)["loss"] == 3.0

    add(meter, math.nan, norm=math.nan)
    now.seconds = 2.0
    assert math.isnan(meter.row(5, 0.1)["loss"])


def test_its_state_survives_json_to_the_bit(now):
    one, other = Meter(), Meter()
    for loss in (1 / 3, 0.1, math.nan):
        add(one, loss)

    other.restore(json.loads(json.dumps(one.state())), CPU)

    for meter in (one, other):
        now.seconds += 1.0
        add(meter, 0.7)
    now.seconds = 9.0
    rows = [meter.row(4, 0.1) for meter in (one, other)]
    for row in rows:
        del row["examples_per_s"], row["tokens_per_s"]
    assert rows[0] == rows[1]


def test_a_step_without_anything_to_learn_has_no_loss():
    """As where no token of its sentences has a class."""
    counts = Counts(torch.tensor([0.0, 8.0, 100.0], dtype=torch.float64))

    assert counts.minimised(torch.tensor([0.0])) == 0.0
