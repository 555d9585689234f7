"""Kurtosis and largest activation against scipy, over real tokens alone.

Legend: B blocks, L length, T real tokens.
"""

import dataclasses
from types import SimpleNamespace

import pytest
import torch
from scipy import stats

from unmask.model.heads import MaskedLM, Pretraining
from unmask.model.init import initialise
from unmask.pretrain.activations import outliers

from .conftest import PAD, VOCABULARY, sizes


def batch(lengths=(12, 7, 3), *, typed=False, seed=0):
    generator = torch.Generator().manual_seed(seed)
    ids_BL = torch.randint(6, VOCABULARY, (len(lengths), max(lengths)), generator=generator)
    mask_BL = torch.arange(max(lengths)) < torch.tensor(lengths)[:, None]
    types_BL = (torch.arange(max(lengths)) > 4).long().expand_as(ids_BL) if typed else None
    padded = None if mask_BL.all() else mask_BL
    return SimpleNamespace(ids_BL=ids_BL.where(mask_BL, PAD), mask_BL=padded, types_BL=types_BL)


def made(kind, family="roberta", **changes):
    config = dataclasses.replace(sizes(family), layers=3, **changes)
    model = kind(config)
    initialise(model, seed=1)
    return model


@pytest.mark.parametrize("lengths", [(12, 7, 3), (9, 9)])
@pytest.mark.parametrize("kind", [MaskedLM, Pretraining])
def test_kurtosis_and_largest_value_of_every_layer_are_those_of_scipy(kind, lengths):
    model, some = made(kind, "bert"), batch(lengths, typed=kind is Pretraining)

    found = outliers(model, some)

    encoder = (model.lm if kind is Pretraining else model).encoder.eval()
    with torch.no_grad():
        states = encoder.hidden_states(some.ids_BL, some.mask_BL, some.types_BL)
    real_BL = some.ids_BL != PAD
    expected = [state[real_BL].double().numpy() for state in states]
    assert len(found.kurtosis) == len(found.largest) == 4
    # scipy's Pearson kurtosis, not corrected for bias: the same moments in the same precision.
    assert found.kurtosis == pytest.approx(
        [stats.kurtosis(state, axis=None, fisher=False) for state in expected], rel=1e-6
    )
    assert found.largest == pytest.approx([abs(state).max() for state in expected])


def test_a_normal_distribution_has_kurtosis_3_and_an_outlier_raises_it():
    model = made(MaskedLM)
    hidden_BLD = torch.randn(64, 12, 256)
    spiked_BLD = hidden_BLD.clone()
    spiked_BLD[3, 4, 5] = 300.0
    model.encoder.hidden_states = lambda *_: [hidden_BLD, spiked_BLD]

    found = outliers(model, batch((12,) * 64))

    assert found.kurtosis[0] == pytest.approx(3, abs=0.05)
    assert found.kurtosis[1] > 1_000
    assert found.largest[1] == 300


def test_padding_changes_nothing():
    model, short, wide = made(MaskedLM), batch((7,)), batch((12, 7))
    wide.ids_BL, wide.mask_BL = wide.ids_BL[1:], wide.mask_BL[1:]
    wide.ids_BL[0, :7] = short.ids_BL[0]

    for here, there in zip(
        dataclasses.astuple(outliers(model, short)),
        dataclasses.astuple(outliers(model, wide)),
        strict=True,
    ):
        assert here == pytest.approx(there, rel=1e-5)


def test_measuring_leaves_the_model_and_the_random_numbers_as_they_were():
    model = made(MaskedLM, dropout=0.5, attention_dropout=0.5)
    model.train()
    state = torch.get_rng_state()

    first, second = outliers(model, batch()), outliers(model, batch())

    assert first == second
    assert model.training
    assert model.encoder.training
    assert torch.equal(torch.get_rng_state(), state)
    assert all(parameter.grad is None for parameter in model.parameters())


def test_a_row_has_both_by_name():
    row = outliers(made(MaskedLM), batch()).row()

    assert list(row) == ["kurtosis", "largest"]
    assert all(type(value) is float for values in row.values() for value in values)
