"""AdamW's groups: what is decayed, and what shares of the rate parameters take."""

import pytest
import torch
from torch import nn

from unmask.train.config import GuardConfig, OptimConfig
from unmask.train.guard import Guard
from unmask.train.optimizer import adamw
from unmask.train.step import descend

CPU = torch.device("cpu")


def model():
    return nn.Sequential(nn.Linear(3, 2), nn.LayerNorm(2))


def settings(module, optimizer):
    """Decay and share of each parameter by its name."""
    names = {id(parameter): name for name, parameter in module.named_parameters()}
    return {
        names[id(parameter)]: (group["weight_decay"], group["share"])
        for group in optimizer.param_groups
        for parameter in group["params"]
    }


@pytest.mark.parametrize("decay", ["all", "matrices"])
def test_every_parameter_has_its_decay_and_its_share(decay):
    module = model()
    shares = {"0.weight": 0.5, "0.bias": 0.5, "1.weight": 0.25}

    found = settings(module, adamw(module, OptimConfig(weight_decay=0.1, decay=decay), shares))

    spared = 0.1 if decay == "all" else 0.0
    assert found == {
        "0.weight": (0.1, 0.5),
        "0.bias": (spared, 0.5),
        "1.weight": (spared, 0.25),
        "1.bias": (spared, 1.0),
    }


def test_without_shares_there_is_one_group_for_each_decay():
    assert len(adamw(model(), OptimConfig()).param_groups) == 1
    assert len(adamw(model(), OptimConfig(decay="matrices")).param_groups) == 2


def test_what_does_not_learn_is_in_no_group():
    module = model()
    module[0].requires_grad_(requires_grad=False)

    assert settings(module, adamw(module, OptimConfig())).keys() == {"1.weight", "1.bias"}


def test_a_share_of_the_rate_is_a_share_of_the_step():
    """Sharing changes neither moments nor the other parameters."""
    modules = []
    for shares in (None, {"0.weight": 0.5}):
        torch.manual_seed(0)
        module = model()
        optimizer = adamw(module, OptimConfig(peak_lr=0.1, weight_decay=0.0), shares)
        before = module[0].weight.detach().clone()
        module(torch.ones(4, 3)).square().sum().backward()
        descend(
            module,
            optimizer,
            lr=0.1,
            clip_norm=0.0,
            loss=torch.tensor(1.0),
            guard=Guard(GuardConfig(), CPU),
        )
        modules.append((module, module[0].weight.detach() - before))
    (whole, went), (part, went_half) = modules

    torch.testing.assert_close(went_half, went / 2)
    assert torch.equal(part[0].bias, whole[0].bias)
    assert torch.equal(part[1].weight, whole[1].weight)
