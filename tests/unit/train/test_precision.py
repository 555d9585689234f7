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
