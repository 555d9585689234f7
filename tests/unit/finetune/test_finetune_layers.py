"""Which layers learn, and how fast."""

import pytest
import torch

from unmask.core.errors import UserError
from unmask.finetune.layers import frozen, learning_shares
from unmask.finetune.losses import OneClass
from unmask.finetune.objective import Objective
from unmask.model.heads import MultipleChoice, SequenceClassifier, SpanExtractor, TokenClassifier

from .conftest import both_families, model_of, parameters, steps, trainer

KINDS = [SequenceClassifier, MultipleChoice, TokenClassifier, SpanExtractor]
LAYERS = 2


def place(name):
    """Layers between a parameter and the head, counted by hand; None for the head's own."""
    parts = name.removeprefix("model.").split(".")
    if parts[0] != "encoder":
        return None
    return LAYERS + 1 if parts[1] == "embedding" else LAYERS - int(parts[2])


@both_families
@pytest.mark.parametrize("decay", [0.5, 0.9, 1.0])
@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_each_layer_learns_at_its_share_of_the_one_above(kind, decay, family):
    model = model_of(kind, family)

    bare = learning_shares(model, decay)
    wrapped = learning_shares(Objective(model, OneClass(), "fp32"), decay)

    assert bare.keys() == dict(model.named_parameters()).keys()
    assert wrapped == {f"model.{name}": share for name, share in bare.items()}
    for name, share in bare.items():
        between = place(name)
        assert share == (1.0 if between is None else decay**between), name
    assert {place(name) for name in bare} == {None, *range(1, LAYERS + 2)}


def test_more_than_ten_layers_are_told_apart():
    shares = learning_shares(model_of(layers=11), 0.5)

    assert shares["encoder.blocks.1.up.weight"] == 0.5**10
    assert shares["encoder.blocks.10.up.weight"] == 0.5


@both_families
def test_the_rate_of_each_parameter_is_its_share_of_the_rate_of_the_step(family, pretrained):
    one = trainer(pretrained[family], layer_decay=0.5, warmup_steps=4)
    names = {id(parameter): name for name, parameter in one.model.named_parameters()}
    for step in range(6):
        rate = one.lr(step)
        one.step()

        found = {
            names[id(parameter)]: group["lr"]
            for group in one.update.optimizer.param_groups
            for parameter in group["params"]
        }
        assert found.keys() == set(names.values())
        for name, lr in found.items():
            between = place(name)
            assert lr == rate * (1.0 if between is None else 0.5**between), name


def test_the_first_step_goes_as_far_as_its_share(pretrained):
    """AdamW's first step is the rate itself wherever there is a gradient."""
    one = trainer(pretrained.roberta, layer_decay=0.5, weight_decay=0.0)
    before = parameters(one)
    one.step()

    for name, tensor in parameters(one).items():
        between = place(name)
        share = 1.0 if between is None else 0.5**between
        went = (tensor - before[name]).abs().max().item()
        assert went == pytest.approx(one.lr(0) * share, rel=0.02), name


@both_families
@pytest.mark.parametrize("layers", [0, 1, LAYERS])
def test_what_is_frozen_gets_no_gradient_and_stays_to_the_bit(layers, family, pretrained):
    one = trainer(pretrained[family], frozen_layers=layers, weight_decay=0.5)
    before = parameters(one)

    steps(one, 3)

    for name, parameter in one.model.named_parameters():
        still = name.startswith(
            ("encoder.embedding.", *(f"encoder.blocks.{number}." for number in range(layers)))
        )
        assert (parameter.grad is None) == still, name
        assert torch.equal(parameter, before[name]) == still, name
    learning = [p for group in one.update.optimizer.param_groups for p in group["params"]]
    assert all(parameter.requires_grad for parameter in learning)


def test_more_frozen_layers_than_there_are_is_refused():
    with pytest.raises(UserError) as caught:
        frozen(model_of(), 3)

    assert caught.value.what == "--frozen-layers 3: the model has 2"
    assert caught.value.hint == "give 2 to train the head alone, or less"


def test_without_the_setting_everything_learns(pretrained):
    one = steps(trainer(pretrained.bert), 1)

    assert all(parameter.grad is not None for parameter in one.model.parameters())
