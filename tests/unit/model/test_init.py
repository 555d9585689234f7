"""The weights a model starts from."""

import dataclasses

import pytest
import torch

from unmask.model.heads import MaskedLM, Pretraining, SequenceClassifier
from unmask.model.init import initialise
from unmask.model.presets import ROBERTA

CONFIG = dataclasses.replace(
    ROBERTA["tiny"], vocabulary=200, width=64, feed_forward=96, init_std=0.5
)


def initialised(seed):
    model = MaskedLM(CONFIG)
    initialise(model, seed)
    return model.state_dict()


def test_matrices_are_normal_biases_zero_and_norms_one():
    for name, tensor in initialised(seed=0).items():
        if tensor.ndim == 2 and "token_type" not in name:
            assert tensor.mean().item() == pytest.approx(0, abs=0.05), name
            assert tensor.std().item() == pytest.approx(0.5, rel=0.05), name
        elif name.endswith("norm.weight"):
            assert (tensor == 1).all(), name
        elif tensor.ndim == 1:
            assert (tensor == 0).all(), name


def test_rows_of_padding_are_zero_and_no_other_row_is():
    state = initialised(seed=0)

    for name in ("encoder.embedding.word.weight", "encoder.embedding.position.weight"):
        zero_rows = (state[name] == 0).all(dim=1).nonzero().flatten().tolist()
        assert zero_rows == [CONFIG.pad_id], name


def test_the_seed_alone_decides():
    first = initialised(seed=7)
    torch.rand(3)
    again, other = initialised(seed=7), initialised(seed=8)

    name = "encoder.blocks.1.attention.qkv.weight"
    assert all(torch.equal(first[key], again[key]) for key in first)
    assert not torch.equal(first[name], other[name])


def test_what_was_there_before_leaves_no_trace():
    model = SequenceClassifier(CONFIG, ("a", "b"))
    initialise(model, 0)
    clean = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    for parameter in model.parameters():
        torch.nn.init.constant_(parameter, 3.0)

    initialise(model, 0)

    assert all(torch.equal(tensor, clean[name]) for name, tensor in model.state_dict().items())


def test_a_second_objective_does_not_change_the_start_of_the_first():
    both = Pretraining(CONFIG)
    initialise(both, seed=0)

    alone = initialised(seed=0)

    assert all(torch.equal(tensor, alone[name]) for name, tensor in both.lm.state_dict().items())
    assert both.next_sentence.out.weight.std() > 0.3
    assert (both.next_sentence.out.bias == 0).all()
