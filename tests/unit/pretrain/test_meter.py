import pytest

from unmask.pretrain.meter import Meter, note

from .conftest import FakePlan, lengths, trainer


def row_of(plan, steps=3):
    one, meter = trainer(plan), Meter()
    done = [one.step() for _ in range(steps)]
    for step in done:
        meter.add(step)
    return done, meter.row(steps, lr=0.5), meter


def test_a_row_sums_up_the_steps_since_the_last_one():
    done, row, meter = row_of(FakePlan(lengths()))

    assert (row["kind"], row["step"], row["lr"], row["blocks"]) == ("train", 3, 0.5, 36)
    assert row["tokens"] == sum(step.tokens for step in done)
    assert row["loss"] == pytest.approx(sum(float(step.loss) for step in done) / 3)
    assert row["padding_share"] == pytest.approx(1 - row["tokens"] / (36 * 32))
    assert "nsp_loss" not in row
    meter.add(done[0])
    assert meter.row(4, lr=0.5)["blocks"] == 12


def test_pairs_add_their_loss_and_accuracy():
    done, row, _ = row_of(FakePlan(lengths(), pairs=True))

    assert row["nsp_loss"] == pytest.approx(sum(float(step.nsp_loss) for step in done) / 3)
    assert 0 <= row["nsp_accuracy"] <= 1


def test_a_note_is_short():
    row = {"loss": 2.5, "tokens_per_s": 1234.5}

    assert note(row) == "loss 2.500  1,234 tokens/s"
    assert note(row | {"nsp_accuracy": 0.5}) == "loss 2.500  next sentence 50.0%  1,234 tokens/s"
