import json
import math

import numpy as np
import pytest
import torch

from unmask.pretrain import meter as module
from unmask.pretrain.meter import NAMES, Meter, note
from unmask.pretrain.objective import Counts, Losses
from unmask.train.memory import peak_memory

from .conftest import CPU, FakePlan, lengths, trainer


def trained(plan, steps=3, **flags):
    one = trainer(plan, **flags)
    for _ in range(steps):
        one.step()
    return one


def columns(meter):
    return dict(zip(NAMES, zip(*meter.state(), strict=True), strict=True))


def add(meter, loss=1.0, norm=2.0):
    zero = torch.tensor(0.0)
    counts = Counts(torch.tensor([10.0, 0.0, 80.0, 4.0, 100.0], dtype=torch.float64))
    meter.add(Losses(torch.tensor(loss), torch.tensor(0.5), zero, zero), torch.tensor(norm), counts)


@pytest.fixture
def seconds(monkeypatch):
    """The time, in a list of one."""
    now = [100.0]
    monkeypatch.setattr(module.time, "perf_counter", lambda: now[0])
    return now


def test_a_row_sums_up_the_steps_since_the_last_one():
    one = trained(FakePlan(lengths()))
    done = columns(one.meter)

    row = one.meter.row(3, lr=0.5)

    assert (row["kind"], row["step"], row["lr"], row["blocks"]) == ("train", 3, 0.5, 36)
    assert row["tokens"] == sum(done["tokens"])
    assert row["loss"] == pytest.approx(sum(done["loss"]) / 3)
    assert row["grad_norm"] == pytest.approx(sum(done["grad_norm"]) / 3)
    assert row["padding_share"] == pytest.approx(1 - row["tokens"] / sum(done["places"]))
    assert row["masked_share"] == pytest.approx(sum(done["masked"]) / row["tokens"])
    assert "nsp_loss" not in row
    one.step()
    assert one.meter.row(4, lr=0.5)["blocks"] == 12


def test_pairs_add_their_loss_and_accuracy():
    one = trained(FakePlan(lengths(), pairs=True))
    done = columns(one.meter)

    row = one.meter.row(3, lr=0.5)

    assert row["nsp_loss"] == pytest.approx(sum(done["nsp_loss"]) / 3)
    assert 0 <= row["nsp_accuracy"] <= 1
    assert done["pairs"] == (12.0, 12.0, 12.0)


def test_what_a_step_read_and_computed_is_counted():
    plan = FakePlan(lengths())
    one = trained(plan, steps=10)  # an epoch

    row = one.meter.row(10, lr=0.5)

    assert row["tokens"] == plan.lengths_B.sum()
    assert row["blocks"] == 120
    assert 0 < row["padding_share"] < 0.3
    full = trained(FakePlan(np.full(12, 32, dtype=np.uint32)))
    assert full.meter.row(3, lr=0.5)["padding_share"] == 0


def test_the_mean_is_that_of_steps_that_have_a_number():
    """A step that was left out has none; if all were left out, neither has the row."""
    meter = Meter()
    for loss, norm in ((1.0, 4.0), (math.nan, math.inf), (3.0, math.nan)):
        add(meter, loss, norm)
    row = meter.row(3, lr=0.5)

    assert (row["loss"], row["grad_norm"]) == (2.0, 4.0)
    add(meter, math.nan)
    assert math.isnan(meter.row(4, lr=0.5)["loss"])


def test_the_speed_leaves_out_what_lies_before_it_was_rewound(seconds):
    meter = Meter()
    add(meter)
    seconds[0] += 1000.0  # such as measuring held-out blocks
    meter.rewind()
    for _ in range(2):
        seconds[0] += 4.0
        add(meter)

    row = meter.row(3, lr=0.5)

    assert row["tokens"] == 240
    assert row["tokens_per_s"] == 20.0
    seconds[0] += 8.0
    add(meter)
    assert meter.row(4, lr=0.5)["tokens_per_s"] == 10.0


def test_the_state_survives_json_to_the_bit(seconds):
    one = trained(FakePlan(lengths(), pairs=True))
    other = Meter()

    other.restore(json.loads(json.dumps(one.meter.state())), CPU)

    assert other.state() == one.meter.state()
    assert other.steps == 0  # none of them took this process any time
    seconds[0] += 1.0
    theirs, ours = (meter.row(3, lr=0.5) for meter in (one.meter, other))
    assert ours.pop("tokens_per_s") == 0  # none of these steps was timed here
    assert theirs.pop("tokens_per_s") > 0
    assert ours == theirs


def test_peak_memory_of_a_process_is_in_bytes():
    assert 50e6 < peak_memory(CPU) < 200e9


def test_a_note_is_short():
    row = {"loss": 2.5, "tokens_per_s": 1234.5}

    assert note(row) == "loss 2.500  1,234 tokens/s"
    assert note(row | {"nsp_accuracy": 0.5}) == "loss 2.500  next sentence 50.0%  1,234 tokens/s"
