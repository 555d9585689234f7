"""A migration is taken where it leaves less of rounding's error, and nowhere else."""

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional as F

from unmask.export.int8.fake import product
from unmask.export.int8.migration import ALPHAS, WORTH, migration, plan
from unmask.export.int8.observed import Observed
from unmask.export.int8.plan import LEVELS_WITHOUT_VNNI
from unmask.export.int8.ranges import limits, step
from unmask.export.int8.sites import sites

UP, DOWN = "encoder.blocks.0.up", "encoder.blocks.1.down"


@pytest.fixture
def model(model_of):
    built = model_of()
    for layer in sites(built).values():  # no input's weights are larger than those of others
        layer.weight.data = even(*layer.weight.shape)
    return built


def inputs(width, outliers=()):
    """From -1 to 1; the channels of the outliers are 100 times larger."""
    values = even(300, width)
    values[:, list(outliers)] *= 100
    return values


def even(*shape):
    return torch.rand(*shape, generator=torch.Generator().manual_seed(0)) * 2 - 1


def seen(values):
    return Observed.empty(values.shape[1]).added(values)


@torch.no_grad()
def error(layer, values, site):
    exact = F.linear(values, layer.weight)
    return float((product(layer, values, site) - exact).square().sum())


@pytest.mark.parametrize("alpha", ALPHAS)
def test_a_migration_is_that_of_smoothquant_but_for_one_factor(alpha):
    dice = np.random.default_rng(0)
    absmax_I = dice.uniform(0.1, 50, 6).astype(np.float32)
    weight_OI = dice.normal(size=(4, 6)).astype(np.float32)

    found = migration(absmax_I, weight_OI, alpha)

    expected = [absmax_I[j] ** alpha / max(abs(weight_OI[:, j])) ** (1 - alpha) for j in range(6)]
    ratio = found / expected
    np.testing.assert_allclose(ratio, ratio[0], rtol=1e-5)
    assert np.prod(found) == pytest.approx(1, rel=1e-4)
    assert found.dtype == np.float32


def test_a_channel_that_is_dead_stays_as_it_is():
    absmax_I = np.array([0, 4, 9, 3], np.float32)
    weight_OI = np.array([[1, 1, 2, 0], [1, 1, 2, 0]], np.float32)

    found = migration(absmax_I, weight_OI, 0.5)

    assert found[[0, 3]].tolist() == [1, 1]
    assert found[2] / found[1] == pytest.approx((9 / 2) ** 0.5 / 4**0.5)
    assert migration(absmax_I * 0, weight_OI, 0.5).tolist() == [1] * 4


@pytest.mark.parametrize("dynamic", [False, True])
def test_outliers_of_a_channel_are_handed_over(model, method, dynamic):
    values, layer = inputs(48, outliers=[7]), sites(model)[DOWN]

    found = plan(model, {DOWN: seen(values)}, method, dynamic=dynamic)[DOWN]

    assert found.migration_I is not None
    assert found.migration_I.argmax() == 7
    plain = type(found)(None if dynamic else step(*limits(seen(values), method))[0], 128)
    assert error(layer, values, found) < 0.5 * error(layer, values, plain)


@pytest.mark.parametrize("dynamic", [False, True])
def test_inputs_without_outliers_are_left_alone(model, method, dynamic):
    observed = seen(inputs(32))

    found = plan(model, {UP: observed}, method, dynamic=dynamic)[UP]

    assert found.migration_I is None
    if dynamic:
        assert (found.scale, found.zero) == (None, 0)
    else:
        assert (found.scale, found.zero) == step(*limits(observed, method))


def test_the_alpha_of_the_least_error_is_taken(model):
    values, layer = inputs(48, outliers=[3, 9]), sites(model)[DOWN]
    observed, weight_OI = seen(values), sites(model)[DOWN].weight.detach().numpy()

    found = plan(model, {DOWN: observed}, "min-max")[DOWN]

    errors = {}
    for alpha in ALPHAS:
        migration_I = migration(observed.absmax_I, weight_OI, alpha)
        scale, zero = step(*limits(observed.migrated(migration_I), "min-max"))
        errors[alpha] = error(layer, values, type(found)(scale, zero, 127, migration_I))
    best = migration(observed.absmax_I, weight_OI, min(errors, key=errors.get))
    np.testing.assert_array_equal(found.migration_I, best)
    assert len({round(one, 6) for one in errors.values()}) == len(ALPHAS)


@pytest.mark.parametrize(("share", "migrates"), [(0.74, True), (0.76, False), (1.0, False)])
def test_a_migration_has_to_be_worth_its_multiplication(model, share, migrates, monkeypatch):
    def told(layer, value, site):
        exact = F.linear(value, layer.weight)
        return exact + (1.0 if site.migration_I is None else share**0.5)

    monkeypatch.setattr("unmask.export.int8.migration.product", told)

    found = plan(model, {UP: seen(inputs(32))}, "min-max")[UP]

    assert (found.migration_I is not None) is migrates
    assert WORTH == 0.75


@pytest.mark.parametrize("method", ["min-max", "percentile"])
def test_the_range_without_migration_is_that_of_all_rows_and_not_of_the_sample(model, method):
    values = inputs(32).repeat(10, 1)
    values[-1] = 9
    observed = seen(values)
    assert observed.sample_SI.max() < 9

    found = plan(model, {UP: observed}, method, 100)[UP]

    assert found.scale == step(float(values.min()), 9.0)[0]


def test_the_plan_has_the_sites_that_were_seen_and_their_levels(model):
    observed = {name: seen(inputs(one.in_features)) for name, one in sites(model).items()}
    observed.pop(UP)

    found = plan(model, observed, levels=LEVELS_WITHOUT_VNNI)

    assert list(found) == list(observed)
    assert {one.levels for one in found.values()} == {LEVELS_WITHOUT_VNNI}


def test_a_percentile_is_handed_on(model):
    observed = seen(inputs(32))

    found = plan(model, {UP: observed}, "percentile", 90)[UP]

    assert (found.scale, found.zero) == step(*limits(observed, "percentile", 90))


def test_the_model_is_left_as_it_was(model, unchanged):
    with unchanged(model):
        plan(model, {DOWN: seen(inputs(48, outliers=[7]))})

    assert isinstance(sites(model)[DOWN].weight, nn.Parameter)
