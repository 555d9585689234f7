"""Attention, spelt out and asked for some places only.

B batch, L length, N asked places.
"""

import dataclasses

import pytest
import torch
from torch import nn

from unmask.model import attention
from unmask.model.attention import Attention
from unmask.model.presets import ROBERTA

CONFIG = dataclasses.replace(
    ROBERTA["tiny"], width=32, heads=4, feed_forward=48, attention_dropout=0.1
)


def layer(dropout=0.0):
    made = Attention(dataclasses.replace(CONFIG, attention_dropout=dropout)).double()
    nn.init.normal_(made.qkv.weight, std=0.3)
    return made


def inputs(padded):
    hidden_BLD = torch.randn(3, 9, 32, dtype=torch.float64)
    mask_BL = torch.arange(9) < torch.tensor([9, 4, 1])[:, None]
    return hidden_BLD, mask_BL[:, None, None] if padded else None


@pytest.mark.parametrize("padded", [False, True])
def test_attention_spelt_out_is_that_of_torch(padded, monkeypatch):
    """With the dropout taken out, whose random numbers are drawn in another way."""
    hidden_BLD, mask_B11L = inputs(padded)
    dropping = layer(0.1).train()
    monkeypatch.setattr(attention, "dropout", lambda weights, chance: weights)

    spelt_out = dropping(hidden_BLD, mask_B11L)

    torch.testing.assert_close(
        spelt_out, dropping.eval()(hidden_BLD, mask_B11L), rtol=0, atol=1e-12
    )


@pytest.mark.parametrize("padded", [False, True])
def test_what_is_dropped_evens_out(padded):
    hidden_BLD, mask_B11L = inputs(padded)
    dropping = layer(0.3).train()

    with torch.no_grad():
        some = torch.stack([dropping(hidden_BLD, mask_B11L) for _ in range(4000)])

    exact = dropping.eval()(hidden_BLD, mask_B11L)
    error = some.std(0) / 4000**0.5
    assert ((some.mean(0) - exact).abs() <= 5 * error + 1e-12).all()
    assert (error > 0).any()


@pytest.mark.parametrize("padded", [False, True])
def test_asked_for_places_only_their_states_are_mixed(padded):
    hidden_BLD, mask_B11L = inputs(padded)
    places_BN = torch.tensor([[0, 8], [3, 0], [0, 0]])
    index_BND = places_BN[..., None].expand(-1, -1, 32)
    plain = layer()

    asked_BND = plain.asked(hidden_BLD.gather(1, index_BND), hidden_BLD, mask_B11L)

    expected = plain(hidden_BLD, mask_B11L).gather(1, index_BND)
    torch.testing.assert_close(asked_BND, expected, rtol=0, atol=1e-12)
