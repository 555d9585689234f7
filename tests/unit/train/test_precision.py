import json

import numpy as np
import pytest
import torch

from unmask.core.errors import UserError
from unmask.train import precision

CPU = torch.device("cpu")


@pytest.fixture
def instruction_sets(monkeypatch):
    def install(*names):
        monkeypatch.setattr(
            precision.machine, "describe", lambda: {"instruction_sets": list(names)}
        )

    return install


@pytest.mark.parametrize("name", ["avx512_bf16", "amx_bf16", "bf16"])
def test_auto_is_bf16_where_the_processor_has_it(instruction_sets, name):
    instruction_sets("avx2", name)

    assert precision.resolve_precision("auto", CPU) == "bf16"
    assert precision.resolve_precision("fp32", CPU) == "fp32"


def test_bf16_without_instructions_is_refused_and_auto_takes_fp32(instruction_sets):
    instruction_sets("avx2", "fma")

    assert precision.resolve_precision("auto", CPU) == "fp32"
    with pytest.raises(UserError, match="no bf16 instructions") as caught:
        precision.resolve_precision("bf16", CPU)
    assert "fp32" in caught.value.hint


def test_a_device_that_is_not_there_is_refused(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)

    assert precision.resolve_device("auto") == CPU
    with pytest.raises(UserError, match="sees no CUDA device"):
        precision.resolve_device("cuda")


def test_autocast_multiplies_in_bf16_and_keeps_weights_in_fp32():
    layer = torch.nn.Linear(4, 4)

    with precision.autocast("bf16", CPU):
        assert layer(torch.randn(2, 4)).dtype is torch.bfloat16
    with precision.autocast("fp32", CPU):
        assert layer(torch.randn(2, 4)).dtype is torch.float32
    assert layer.weight.dtype is torch.float32


@pytest.fixture
def card(monkeypatch):
    """A card that has bf16, or has not."""

    def install(*, bf16):
        monkeypatch.setattr(
            torch.cuda, "is_bf16_supported", lambda including_emulation: bf16 or including_emulation
        )
        return torch.device("cuda")

    return install


def test_a_card_without_bf16_takes_fp16_and_one_with_it_bf16(card):
    assert precision.resolve_precision("auto", card(bf16=True)) == "bf16"
    assert precision.resolve_precision("auto", card(bf16=False)) == "fp16"
    assert precision.resolve_precision("fp16", card(bf16=True)) == "fp16"
    with pytest.raises(UserError, match="--precision bf16: this cuda has no bf16 instructions"):
        precision.resolve_precision("bf16", card(bf16=False))


def test_fp16_on_a_processor_is_refused():
    with pytest.raises(UserError) as caught:
        precision.resolve_precision("fp16", CPU)

    assert caught.value.what == "--precision fp16: needs a card, this is cpu"
    assert caught.value.hint == "use --precision fp32, or auto"


def overflows(count):
    """Overflows here and there, then none for long, then some again."""
    dice = np.random.default_rng(0)
    return np.where(np.arange(count) < 300, dice.random(count) < 0.3, np.arange(count) > 6500)


def test_the_loss_scale_follows_the_rule_of_torch():
    """GradScaler's own kernel does the bookkeeping there; only a card has the class around it."""
    ours = precision.LossScale.of(CPU)
    theirs, tracker = torch.tensor(2.0**16), torch.tensor(0, dtype=torch.int32)

    for overflow in overflows(6510):
        ours.update(overflow=torch.tensor(bool(overflow)))
        torch._amp_update_scale_(
            theirs, tracker, torch.tensor(float(overflow)), 2.0, 0.5, precision.GROWTH_STEPS
        )
        assert ours.state() == [float(theirs), float(tracker)]

    scaler = torch.amp.GradScaler("cpu")
    assert scaler.get_scale() == 2.0**16
    assert scaler.get_growth_factor() == 2.0
    assert scaler.get_backoff_factor() == 0.5
    assert scaler.get_growth_interval() == precision.GROWTH_STEPS


def test_the_state_of_a_loss_scale_survives_json_to_the_bit():
    one, other = precision.LossScale.of(CPU), precision.LossScale.of(CPU)
    for overflow in overflows(250):
        one.update(overflow=torch.tensor(bool(overflow)))

    other.restore(json.loads(json.dumps(one.state())))

    assert other.state() == one.state()
    for overflow in overflows(250):
        for scale in (one, other):
            scale.update(overflow=torch.tensor(bool(overflow)))
    assert other.state() == one.state()
