import copy
import math

import pytest
import torch
from torch import nn

from unmask.core.errors import UserError
from unmask.train.config import GuardConfig, OptimConfig
from unmask.train.guard import SEEN_ENOUGH, Guard
from unmask.train.optimizer import adamw
from unmask.train.precision import LossScale
from unmask.train.step import descend, due, require_finite

CPU = torch.device("cpu")
LOSS = torch.tensor(2.0)


def pair():
    torch.manual_seed(1)
    model = nn.Sequential(nn.Linear(3, 4), nn.LayerNorm(4), nn.Linear(4, 2))
    return model, adamw(model, OptimConfig(peak_lr=0.1))


def gradients(model, step, factor=1.0):
    """Gradients of a loss that was multiplied by a factor."""
    torch.manual_seed(100 + step)
    model.zero_grad(set_to_none=True)
    loss = (model(torch.randn(12, 3)) - torch.randn(12, 2)).square().sum() / 12
    (loss * factor).backward()
    return loss.detach()


def stepped(model, optimizer, step=0, *, guard=None, scale=None, clip_norm=0.0, lr=0.1):
    loss = gradients(model, step, 1.0 if scale is None else float(scale.value))
    guard = guard or Guard(GuardConfig(), CPU)
    return descend(
        model, optimizer, lr=lr, clip_norm=clip_norm, loss=loss, guard=guard, scale=scale
    )


def content(model, optimizer):
    """Every parameter, moment and step counter, copied."""
    found = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    for number, own in optimizer.state_dict()["state"].items():
        found |= {f"{number} {key}": tensor.clone() for key, tensor in own.items()}
    return found


def assert_same(one, other):
    assert one.keys() == other.keys()
    for name, tensor in one.items():
        assert torch.equal(tensor, other[name]), name


@pytest.mark.parametrize("clip_norm", [0.0, 0.3, 1e9])
def test_a_step_is_that_of_plain_adamw_after_torchs_clipping(clip_norm):
    """torch adds 1e-6 to the norm it divides by; the sums of a fused kernel differ by rounding."""
    ours, optimizer = pair()
    theirs, _ = pair()
    plain = torch.optim.AdamW(
        theirs.parameters(), lr=0.1, betas=(0.9, 0.98), eps=1e-6, weight_decay=0.01, fused=False
    )
    for step in range(4):
        norm = stepped(ours, optimizer, step, clip_norm=clip_norm)
        gradients(theirs, step)
        expected = nn.utils.clip_grad_norm_(theirs.parameters(), clip_norm or math.inf)
        plain.step()

        torch.testing.assert_close(norm, expected, rtol=1e-5, atol=0)

    for one, other in zip(ours.parameters(), theirs.parameters(), strict=True):
        torch.testing.assert_close(one, other, rtol=1e-4, atol=1e-5)


def test_clipping_shortens_gradients_that_are_too_long_and_only_those():
    unclipped, loosely, tightly = pair(), pair(), pair()

    norm = float(stepped(*unclipped))
    stepped(*loosely, clip_norm=2 * norm)
    stepped(*tightly, clip_norm=norm / 2)

    assert_same(content(*unclipped), content(*loosely))
    first = next(iter(unclipped[1].state.values()))["exp_avg"]
    shortened = next(iter(tightly[1].state.values()))["exp_avg"]
    torch.testing.assert_close(shortened, first / 2, rtol=1e-5, atol=0)


def test_the_rate_of_a_step_is_the_one_it_was_given():
    slow, fast, none = pair(), pair(), pair()
    before = content(*none)

    stepped(*slow, lr=0.01)
    stepped(*fast, lr=0.02)
    stepped(*none, lr=0.0)

    for name in before:
        if " " not in name:
            assert torch.equal(none[0].state_dict()[name], before[name])
            went = [run[0].state_dict()[name] - before[name] for run in (slow, fast)]
            torch.testing.assert_close(went[1], 2 * went[0], rtol=1e-2, atol=1e-6)


@pytest.mark.parametrize("steps_before", [0, 3])
@pytest.mark.parametrize("clip_norm", [0.0, 0.3])
@pytest.mark.parametrize("value", [math.nan, math.inf])
def test_a_gradient_that_is_no_number_leaves_everything_as_it_was(value, clip_norm, steps_before):
    """Parameters, moments, and the counter by which AdamW corrects their bias."""
    model, optimizer = pair()
    for step in range(steps_before):
        stepped(model, optimizer, step)
    before = content(model, optimizer)
    gradients(model, 9)
    model[0].weight.grad[1, 2] = value

    norm = descend(
        model,
        optimizer,
        lr=0.1,
        clip_norm=clip_norm,
        loss=LOSS,
        guard=Guard(GuardConfig(), CPU),
    )

    assert not norm.isfinite()
    after = content(model, optimizer)
    if not steps_before:  # the moments were made, and hold nothing
        after = {name: tensor for name, tensor in after.items() if tensor.any() or name in before}
    assert_same(after, before)


@pytest.mark.parametrize("loss", [math.nan, math.inf, 1e9])
def test_a_loss_that_went_wrong_leaves_everything_as_it_was(loss):
    model, optimizer = pair()
    guard = Guard(GuardConfig(), CPU)
    for step in range(3):
        stepped(model, optimizer, step)
    for _ in range(SEEN_ENOUGH):
        guard.judge(torch.tensor(2.0) + 0.1 * torch.rand(()), torch.tensor(1.0))
    before, told = content(model, optimizer), guard.state()
    gradients(model, 9)

    descend(
        model,
        optimizer,
        lr=0.1,
        clip_norm=0.0,
        loss=torch.tensor(loss),
        guard=guard,
    )

    assert_same(content(model, optimizer), before)
    assert guard.report() == (1, 1)
    assert guard.state()["mean"] == told["mean"]


def test_a_step_left_out_is_as_if_it_had_never_been():
    """The steps after it are those of a run that never saw it, to the bit."""
    straight, disturbed = pair(), pair()
    for step in range(3):
        stepped(*straight, step)
        stepped(*disturbed, step)
        gradients(disturbed[0], 50)
        disturbed[0][2].bias.grad[0] = math.nan
        descend(
            *disturbed, lr=0.1, clip_norm=0.0, loss=LOSS, guard=Guard(GuardConfig(spike=None), CPU)
        )

    assert_same(content(*straight), content(*disturbed))


@pytest.mark.parametrize("clip_norm", [0.0, 0.3])
def test_a_scaled_loss_gives_the_same_step(clip_norm):
    """A power of two changes no bit of a gradient, nor of the norm."""
    plain, scaled = pair(), pair()
    scale = LossScale.of(CPU)

    for step in range(3):
        norm = stepped(*plain, step, clip_norm=clip_norm)
        assert torch.equal(stepped(*scaled, step, clip_norm=clip_norm, scale=scale), norm)

    assert_same(content(*plain), content(*scaled))
    assert scale.state() == [2.0**16, 3.0]


def test_an_overflow_halves_the_scale_and_is_no_step_that_went_wrong():
    model, optimizer = pair()
    scale, guard = LossScale.of(CPU), Guard(GuardConfig(), CPU)
    before = content(model, optimizer)
    for _ in range(16):
        loss = gradients(model, 0)
        model[0].weight.grad[0, 0] = math.inf
        descend(model, optimizer, lr=0.1, clip_norm=1.0, loss=loss, guard=guard, scale=scale)

    assert scale.state() == [1.0, 0.0]
    assert guard.report() == (0, 0)
    after = content(model, optimizer)
    for name, tensor in before.items():
        assert torch.equal(after[name], tensor), name
    assert not any(tensor.any() for name, tensor in after.items() if name not in before)


def test_an_overflow_of_what_is_not_scaled_up_went_wrong():
    model, optimizer = pair()
    scale, guard = LossScale(torch.tensor(1.0), torch.tensor(7.0)), Guard(GuardConfig(), CPU)
    before = copy.deepcopy(model.state_dict())

    loss = gradients(model, 0)
    model[0].weight.grad[0, 0] = math.inf
    descend(model, optimizer, lr=0.1, clip_norm=1.0, loss=loss, guard=guard, scale=scale)

    assert guard.report() == (1, 1)
    assert scale.state() == [0.5, 0.0]
    assert_same(model.state_dict(), before)


def test_a_loss_that_is_no_number_went_wrong_at_any_scale():
    model, optimizer = pair()
    scale, guard = LossScale.of(CPU), Guard(GuardConfig(), CPU)
    gradients(model, 0)
    model[0].weight.grad[0, 0] = math.nan

    loss = torch.tensor(math.nan)
    descend(model, optimizer, lr=0.1, clip_norm=0.0, loss=loss, guard=guard, scale=scale)

    assert guard.report() == (1, 1)


def test_vectors_are_not_decayed_where_only_matrices_are():
    model = nn.Sequential(nn.Linear(2, 2), nn.LayerNorm(2))

    decayed, spared = adamw(model, OptimConfig(decay="matrices")).param_groups

    assert [tuple(p.shape) for p in decayed["params"]] == [(2, 2)]
    assert decayed["weight_decay"] == 0.01
    assert spared["weight_decay"] == 0
    assert len(adamw(model, OptimConfig()).param_groups[0]["params"]) == 4


def test_a_loss_that_is_no_number_stops_a_fine_tuning():
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
