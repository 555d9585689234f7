"""A rounded model computes with numbers of 8 bits, and is what it was afterwards."""

import numpy as np
import pytest
import torch
from torch import nn

from unmask.export.int8.fake import product, rounded, rounded_input, rounded_weight
from unmask.export.int8.plan import Quantised
from unmask.export.int8.sites import sites
from unmask.model.heads import SequenceClassifier

DYNAMIC = Quantised(None)
STATIC = Quantised(0.02, 120)


@pytest.fixture
def model(model_of):
    return model_of(SequenceClassifier).eval()


@pytest.fixture
def firsts(model, through):
    """Give the states of first tokens, by each way through the encoder."""

    def by(way):
        found = through(model, way)
        return found[[0, 4]] if way == "packed" else found[:, 0]

    return by


def layer(seed=0):
    torch.manual_seed(seed)
    return nn.Linear(6, 5)


@pytest.mark.parametrize("site", [STATIC, DYNAMIC])
@pytest.mark.parametrize("failing", [False, True])
def test_afterwards_the_model_is_what_it_was_to_the_bit(model, firsts, site, failing):
    own = {name: (one, one.detach().clone()) for name, one in model.named_parameters()}
    before = firsts("asked")

    try:
        with rounded(model, dict.fromkeys(sites(model), site)):
            assert not torch.equal(firsts("asked"), before)
            if failing:
                raise ZeroDivisionError
    except ZeroDivisionError:
        assert failing

    assert [name for name, _ in model.named_parameters()] == list(own)
    for name, parameter in model.named_parameters():
        assert parameter is own[name][0]
        assert parameter.requires_grad
        assert torch.equal(parameter, own[name][1])
    assert torch.equal(firsts("asked"), before)


def test_only_the_sites_of_the_plan_are_rounded(model):
    own = {name: one.weight for name, one in sites(model).items()}

    with rounded(model, {"encoder.blocks.1.up": STATIC}):
        changed = [name for name, one in sites(model).items() if one.weight is not own[name]]

    assert changed == ["encoder.blocks.1.up"]


def test_an_empty_plan_changes_nothing(model, firsts):
    before = firsts("packed")

    with rounded(model, {}):
        assert torch.equal(firsts("packed"), before)


def test_a_name_that_is_no_site_is_an_error(model):
    with pytest.raises(KeyError, match="dense"), rounded(model, {"dense": STATIC}):
        pass


def test_static_ranges_are_the_same_on_every_way(model, firsts, way):
    with rounded(model, dict.fromkeys(sites(model), STATIC)):
        torch.testing.assert_close(firsts(way), firsts("forward"))


def test_one_plan_within_another_adds_to_it(model, firsts):
    up, down = {"encoder.blocks.0.up": STATIC}, {"encoder.blocks.0.down": DYNAMIC}
    with rounded(model, up | down):
        both = firsts("packed")

    with rounded(model, up), rounded(model, down):
        found = firsts("packed")

    assert torch.equal(found, both)


def test_inputs_are_rounded_to_even_and_cut():
    """To an even number of steps, which is no even number of 8 bits where zero is odd."""
    site = Quantised(0.5, 11)
    value = torch.tensor([0.0, 0.25, 0.75, -0.25, 0.3, -5.5, -5.8, 122.0, 130.0])

    found = rounded_input(value, site)

    assert found.tolist() == [0.0, 0.0, 1.0, 0.0, 0.5, -5.5, -5.5, 122.0, 122.0]


@pytest.mark.parametrize(
    ("values", "scale"), [([-1, 0.3, 1.55], 0.01), ([0.3, 2.55], 0.01), ([-5.1, -0.7], 0.02)]
)
def test_a_dynamic_range_is_that_of_all_values_and_zero(values, scale):
    value = torch.tensor(values)

    found = rounded_input(value, DYNAMIC)

    torch.testing.assert_close(found, torch.round(value / scale) * scale)


def test_a_dynamic_range_of_zeros_is_zero():
    assert rounded_input(torch.zeros(3, 2), DYNAMIC).tolist() == [[0, 0]] * 3


@pytest.mark.parametrize("levels", [127, 63])
def test_weights_have_levels_on_each_side_and_a_step_for_each_output(levels):
    one = layer()
    one.weight.data[2] *= 100
    one.weight.data[3] = 0

    found = rounded_weight(one, Quantised(1.0, levels=levels))

    scale_O1 = one.weight.detach().abs().amax(1, keepdim=True) / levels
    ints = found / scale_O1.where(scale_O1 > 0, torch.ones(()))
    torch.testing.assert_close(ints, ints.round(), atol=1e-4, rtol=0)
    assert ints.abs().amax(1).round().tolist() == [levels, levels, levels, 0, levels]
    assert (found - one.weight).abs().amax(1).le(scale_O1[:, 0] * 0.501).all()


def test_a_migration_alone_changes_no_product():
    """With steps that are next to nothing only the migration is left, and it cancels out."""
    one, value = layer(), torch.randn(7, 6)
    migration_I = np.array([0.1, 1, 7, 2, 30, 0.5], np.float32)
    fine = Quantised(1e-6, 0, 10**7, migration_I)

    with torch.no_grad(), pytest.MonkeyPatch.context() as patch:
        patch.setattr("unmask.export.int8.fake.MOST", 10**9)
        found = product(one, value - value.min(), fine)
        expected = nn.functional.linear(value - value.min(), one.weight)

    torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-4)


def test_a_migration_divides_inputs_and_multiplies_weights():
    one, value = layer(), torch.randn(7, 6)
    migration_I = torch.tensor([0.5, 1, 2, 4, 0.25, 8])
    other = layer()
    other.weight.data *= migration_I
    site = Quantised(0.02, 100, 127, migration_I.numpy())

    torch.testing.assert_close(rounded_weight(one, site), rounded_weight(other, STATIC))
    torch.testing.assert_close(
        rounded_input(value, site), rounded_input(value / migration_I, Quantised(0.02, 100))
    )
