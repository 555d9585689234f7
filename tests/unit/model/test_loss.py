"""The loss that turns logits into their gradient, beside torch's own two functions.

M masked positions, D width, V vocabulary.
"""

import pytest
import torch
from torch.nn import functional as F
from torch.utils._python_dispatch import TorchDispatchMode

from unmask.model.loss import ROWS_AT_ONCE, linear_cross_entropy

D, V = 12, 50
LARGE = 3 * ROWS_AT_ONCE + 7
NAMES = ("hidden_MD", "weight_VD", "bias_V")


def operands(count, spread=1.0):
    torch.manual_seed(3)
    leaves = [torch.randn(count, D), torch.randn(V, D) * spread, torch.randn(V)]
    return [leaf.requires_grad_() for leaf in leaves], torch.randint(V, (count,))


def reference(hidden_MD, weight_VD, bias_V, targets_M):
    logits_MV = F.linear(hidden_MD, weight_VD, bias_V)
    loss = F.cross_entropy(logits_MV.float(), targets_M, reduction="sum")
    return loss, (logits_MV.argmax(-1) == targets_M).sum()


def with_gradients(function, count, *, factor=0.25, spread=1.0, autocast=False):
    leaves, targets_M = operands(count, spread)
    with torch.autocast("cpu", torch.bfloat16, enabled=autocast):
        loss, right = function(*leaves, targets_M)
    (loss * factor).backward()
    return loss.detach(), right, dict(zip(NAMES, (leaf.grad for leaf in leaves), strict=True))


class Shapes(TorchDispatchMode):
    """Counts how often memory for as many numbers as there are logits is taken."""

    def __init__(self, numbers):
        super().__init__()
        self.numbers, self.places = numbers, set()
        self.kept = []

    def __torch_dispatch__(self, function, types, words=(), more=None):
        found = function(*words, **(more or {}))
        for one in found if isinstance(found, tuple | list) else [found]:
            if isinstance(one, torch.Tensor) and one.numel() >= self.numbers:
                self.kept.append(one)  # so that no memory is given out twice
                self.places.add(one.untyped_storage().data_ptr())
        return found


@pytest.mark.parametrize("count", [1, ROWS_AT_ONCE, LARGE])
def test_loss_hits_and_gradients_are_those_of_cross_entropy_over_a_linear_layer(count):
    loss, right, gradients = with_gradients(linear_cross_entropy, count)
    expected, expected_right, expected_gradients = with_gradients(reference, count)

    torch.testing.assert_close(loss, expected, rtol=1e-6, atol=1e-5)
    assert int(right) == int(expected_right)
    for name, gradient in gradients.items():
        torch.testing.assert_close(
            gradient, expected_gradients[name], rtol=1e-5, atol=1e-5, msg=name
        )


def test_some_predictions_are_right_and_some_are_wrong():
    """Else the comparison of hits would say nothing."""
    _, right, _ = with_gradients(reference, LARGE)

    assert 0 < int(right) < LARGE


def test_logits_far_from_zero_overflow_nowhere():
    loss, _, gradients = with_gradients(linear_cross_entropy, LARGE, spread=1e3)
    expected, _, expected_gradients = with_gradients(reference, LARGE, spread=1e3)

    assert loss.isfinite()
    torch.testing.assert_close(loss, expected, rtol=1e-5, atol=0)
    torch.testing.assert_close(
        gradients["hidden_MD"], expected_gradients["hidden_MD"], rtol=1e-4, atol=1e-2
    )


def test_under_autocast_products_are_in_bf16_and_sums_in_fp32():
    """A bf16 product is good to 1/256; sums of some hundred of them, scaled by 1/4, to 0.05."""
    loss, right, gradients = with_gradients(linear_cross_entropy, LARGE, autocast=True)
    expected, expected_right, expected_gradients = with_gradients(reference, LARGE, autocast=True)

    torch.testing.assert_close(loss, expected, rtol=1e-6, atol=0)
    assert int(right) == int(expected_right)
    assert loss.dtype == torch.float32
    assert not torch.equal(gradients["bias_V"], gradients["bias_V"].bfloat16().float())
    for name, gradient in gradients.items():
        assert gradient.dtype == torch.float32, name
        torch.testing.assert_close(
            gradient, expected_gradients[name], rtol=2e-2, atol=5e-2, msg=name
        )


@pytest.mark.parametrize("autocast", [False, True])
def test_nothing_masked_is_a_loss_of_zero_with_gradients_of_zero(autocast):
    loss, right, gradients = with_gradients(linear_cross_entropy, 0, autocast=autocast)

    assert float(loss) == int(right) == 0
    assert gradients["hidden_MD"].shape == (0, D)
    assert not gradients["weight_VD"].any()
    assert not gradients["bias_V"].any()


def test_a_loss_can_be_sent_back_twice():
    leaves, targets_M = operands(LARGE)
    loss, _ = linear_cross_entropy(*leaves, targets_M)

    loss.backward(retain_graph=True)
    once = [leaf.grad.clone() for leaf in leaves]
    loss.backward()

    for leaf, gradient in zip(leaves, once, strict=True):
        assert torch.equal(leaf.grad, 2 * gradient)


@pytest.mark.parametrize("autocast", [False, True])
def test_as_many_numbers_as_there_are_logits_are_held_once(autocast):
    count = 10 * ROWS_AT_ONCE  # many more rows than are worked out at a time

    with Shapes(count * V) as ours:
        with_gradients(linear_cross_entropy, count, autocast=autocast)
    with Shapes(count * V) as theirs:
        with_gradients(reference, count, autocast=autocast)

    assert len(ours.places) == 1
    assert len(theirs.places) >= 3


def test_tied_logits_leave_loss_and_gradients_as_they_are():
    hidden_MD, weight_VD = torch.ones(3, D), torch.zeros(V, D, requires_grad=True)
    bias_V, targets_M = torch.zeros(V, requires_grad=True), torch.tensor([0, 1, 49])

    loss, _ = linear_cross_entropy(hidden_MD, weight_VD, bias_V, targets_M)
    loss.backward()

    assert float(loss.detach()) == pytest.approx(3 * torch.tensor(float(V)).log().item())
    assert float(bias_V.grad[2]) == pytest.approx(3 / V)
    assert float(bias_V.grad[49]) == pytest.approx(3 / V - 1)
