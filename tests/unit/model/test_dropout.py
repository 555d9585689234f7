import pytest
import torch

from unmask.model.dropout import LEVELS, Dropout, dropout


@pytest.mark.parametrize("chance", [0.1, 0.5, 0.9])
def test_each_number_is_dropped_with_the_chance_and_the_others_are_scaled_up(chance):
    count = 400_001  # no multiple of the four numbers that one draw serves

    out = dropout(torch.ones(count), chance)

    dropped = float((out == 0).float().mean())
    assert dropped == pytest.approx(chance, abs=5 * (chance * (1 - chance) / count) ** 0.5)
    kept = out[out != 0]
    assert kept.unique().numel() == 1
    assert float(kept[0]) == pytest.approx(1 / (1 - chance), rel=2 / LEVELS / (1 - chance))


def test_the_four_numbers_of_one_draw_are_dropped_apart():
    out_N4 = (dropout(torch.ones(100_000, 4), 0.5) == 0).double()

    together_44 = torch.corrcoef(out_N4.T)

    off = together_44 - torch.eye(4)
    assert off.abs().max() < 5 / 100_000**0.5


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16, torch.float64])
def test_shape_and_type_stay_and_gradients_are_dropped_alike(dtype):
    hidden = torch.ones(5, 7, dtype=dtype, requires_grad=True)

    out = dropout(hidden, 0.4)
    out.sum().backward()

    assert out.shape == hidden.shape
    assert out.dtype == dtype
    assert torch.equal(hidden.grad, out)


def test_the_same_seed_drops_the_same():
    found = []
    for seed in (1, 1, 2):
        torch.manual_seed(seed)
        found.append(dropout(torch.ones(100), 0.5))

    assert torch.equal(found[0], found[1])
    assert not torch.equal(found[0], found[2])


def test_nothing_is_dropped_without_a_chance_or_without_training():
    hidden = torch.randn(10)

    assert dropout(hidden, 0.0) is hidden
    assert Dropout(0.5).eval()(hidden) is hidden
    assert not torch.equal(Dropout(0.5).train()(hidden), hidden)
