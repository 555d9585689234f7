import pytest
import torch
from torch import nn

from unmask.core.errors import UserError
from unmask.model.config import ModelConfig
from unmask.model.encoder import Encoder
from unmask.train import compiling

CPU = torch.device("cpu")
SHAPE = (2, 8, 16)


@pytest.fixture
def blocks(monkeypatch, tmp_path):
    """The blocks of a tiny encoder, whose `compile` is only noted; nothing is remembered."""
    monkeypatch.setenv("UNMASK_CACHE", str(tmp_path))
    config = ModelConfig(
        family="roberta",
        vocabulary=20,
        layers=2,
        width=16,
        heads=2,
        feed_forward=32,
        max_length=8,
        types=1,
        norm_eps=1e-5,
        pad_id=1,
    )
    noted = []
    monkeypatch.setattr(nn.Module, "compile", lambda self: noted.append(self))
    found = list(Encoder(config).blocks)
    return found, noted


def test_a_processor_is_left_uncompiled_unless_it_is_asked_for(blocks):
    found, noted = blocks

    assert not compiling.compiled(found, "auto", CPU, "fp32", SHAPE)
    assert not compiling.compiled(found, "off", CPU, "fp32", SHAPE)
    assert noted == []
    assert compiling.compiled(found, "on", CPU, "fp32", SHAPE)
    assert noted[-2:] == found


def test_a_compiler_that_fails_is_said_where_it_was_asked_for(blocks, monkeypatch):
    def fails(*_):
        raise RuntimeError("no g++\nand more")

    monkeypatch.setattr(compiling, "_pass", fails)

    with pytest.raises(UserError, match=r"--compile on: RuntimeError: no g\+\+$") as caught:
        compiling.compiled(blocks[0], "on", CPU, "fp32", SHAPE)
    assert "install a C++ compiler" in caught.value.hint


@pytest.mark.parametrize(("gain", "expected"), [(1.5, True), (1.0, False)])
def test_on_a_card_one_block_is_measured_once_for_each_shape(blocks, monkeypatch, gain, expected):
    card, calls = torch.device("cuda"), []
    monkeypatch.setattr(compiling, "device_name", lambda _: "a card")
    monkeypatch.setattr(compiling, "_gain", lambda *_: calls.append(1) or gain)

    for _ in range(2):
        assert compiling.compiled(blocks[0], "auto", card, "bf16", SHAPE) == expected
    assert len(calls) == 1
    compiling.compiled(blocks[0], "auto", card, "bf16", (4, 8, 16))
    assert len(calls) == 2


def test_a_compiler_that_fails_while_measuring_leaves_the_step_as_it_is(
    blocks, monkeypatch, capsys
):
    def fails(*_):
        raise RuntimeError("no ptxas")

    monkeypatch.setattr(compiling, "device_name", lambda _: "a card")
    monkeypatch.setattr(compiling, "_gain", fails)

    assert not compiling.compiled(blocks[0], "auto", torch.device("cuda"), "bf16", SHAPE)
    assert "runs uncompiled: RuntimeError: no ptxas" in capsys.readouterr().err


def test_the_gain_is_the_ratio_of_two_times(blocks, monkeypatch):
    times = iter([3.0, 2.0])
    monkeypatch.setattr(compiling, "_seconds", lambda *_: next(times))

    assert compiling._gain(blocks[0][0], CPU, "fp32", SHAPE) == 1.5


def test_a_block_is_timed_there_and_back(blocks):
    hidden_BLD = torch.randn(SHAPE)

    assert compiling._seconds(blocks[0][0], hidden_BLD, "fp32") > 0
    assert all(parameter.grad is not None for parameter in blocks[0][0].parameters())
