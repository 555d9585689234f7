import pytest
import torch
from torch import nn

from unmask.core.errors import UserError
from unmask.train.config import OptimConfig
from unmask.train.optimizer import adamw
from unmask.train.step import due, require_finite, update


def model_and_data():
    torch.manual_seed(1)
    model = nn.Linear(3, 2)
    return model, torch.randn(12, 3), torch.randn(12, 2)


def step_in_parts(parts, clip_norm=0.0):
    model, inputs, targets = model_and_data()
    optimizer = adamw(model, OptimConfig(peak_lr=0.1))
    cut = list(zip(inputs.split(parts), targets.split(parts), strict=True))

    def summed_loss(batch):
        return (model(batch[0]) - batch[1]).square().sum()

    loss = update(model, optimizer, cut, summed_loss, count=12, lr=0.1, clip_norm=clip_norm)
    return loss, model


def test_accumulation_does_not_change_a_step():
    loss, whole = step_in_parts([12])
    loss_in_parts, parts = step_in_parts([5, 1, 6])

    assert loss == pytest.approx(float(loss_in_parts), rel=1e-6)
    assert torch.allclose(whole.weight, parts.weight, atol=1e-6)


def test_a_step_is_that_of_plain_adamw_on_the_mean_loss():
    _, ours = step_in_parts([4, 8])
    theirs, inputs, targets = model_and_data()
    optimizer = torch.optim.AdamW(
        theirs.parameters(), lr=0.1, betas=(0.9, 0.98), eps=1e-6, weight_decay=0.01
    )
    ((theirs(inputs) - targets).square().sum() / 12).backward()
    optimizer.step()

    assert torch.allclose(ours.weight, theirs.weight, atol=1e-6)
    assert torch.allclose(ours.bias, theirs.bias, atol=1e-6)


def test_clipping_off_at_zero_leaves_gradients_alone():
    _, unclipped = step_in_parts([12], clip_norm=0.0)
    _, loosely = step_in_parts([12], clip_norm=1e9)
    model, _, _ = model_and_data()

    assert torch.equal(unclipped.weight, loosely.weight)
    assert not torch.equal(unclipped.weight, model.weight)


def test_vectors_are_not_decayed_where_only_matrices_are():
    model = nn.Sequential(nn.Linear(2, 2), nn.LayerNorm(2))

    decayed, spared = adamw(model, OptimConfig(decay="matrices")).param_groups

    assert [tuple(p.shape) for p in decayed["params"]] == [(2, 2)]
    assert decayed["weight_decay"] == 0.01
    assert spared["weight_decay"] == 0
    assert len(adamw(model, OptimConfig()).param_groups[0]["params"]) == 4


def test_a_loss_that_is_no_number_stops_the_run():
    with pytest.raises(UserError, match="step 7: the loss is nan") as caught:
        require_finite(float("nan"), 7)

    assert "--optim.peak-lr" in caught.value.hint


def test_things_are_due_at_their_interval_and_at_the_end():
    assert [step for step in range(1, 11) if due(step, 4, 10)] == [4, 8, 10]


@pytest.mark.parametrize(
    ("flags", "said"),
    [
        ({"peak_lr": 0.0}, "--optim.peak-lr 0.0"),
        ({"beta2": 1.0}, "--optim.beta2 1.0"),
        ({"clip_norm": -1.0}, "--optim.clip-norm -1.0"),
    ],
)
def test_settings_that_cannot_work_are_refused(flags, said):
    with pytest.raises(UserError, match=said):
        OptimConfig(**flags)
