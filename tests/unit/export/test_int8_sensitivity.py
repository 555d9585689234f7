"""The layer that an answer suffers from most comes first."""

import numpy as np
import pytest
import torch

from unmask.export.int8 import sensitivity
from unmask.export.int8.calibration import observe
from unmask.export.int8.damage import answers, damages
from unmask.export.int8.fake import rounded
from unmask.export.int8.migration import plan
from unmask.export.int8.plan import Quantised
from unmask.export.int8.ranges import limits, step
from unmask.export.int8.sensitivity import ranked
from unmask.export.int8.sites import sites
from unmask.finetune.inputs import Maker

MAKER = Maker(1, typed=False)


def with_outliers(model, block):
    """Let some inputs of a `down` be 100 times larger, and their weights as much smaller."""
    one = model.encoder.blocks[block]
    one.up.weight.data[[5, 20]] *= 100
    one.down.weight.data[:, [5, 20]] /= 100
    return model


@pytest.fixture
def plainly(some):
    """Plan a model by all that was seen, without migration."""

    def plan_of(model):
        seen = observe(model, some, MAKER, least=1)
        return {name: Quantised(*step(*limits(one, "min-max"))) for name, one in seen.items()}

    return plan_of


@pytest.mark.parametrize("block", [0, 1])
def test_a_layer_with_outliers_comes_first(model_of, some, plainly, kind, block):
    model = with_outliers(model_of(kind), block)

    found = ranked(model, plainly(model), some, MAKER)

    assert found[0].site == f"encoder.blocks.{block}.down"
    assert found[0].damage > 3 * found[1].damage
    assert found[0].output_error == max(one.output_error for one in found)
    assert [one.damage for one in found] == sorted((one.damage for one in found), reverse=True)
    assert {one.site for one in found} == set(sites(model))


def test_a_migration_mends_it(model_of, some, plainly):
    model = with_outliers(model_of(), 1)
    mended = plan(model, observe(model, some, MAKER, least=1), "min-max")

    before, after = (
        {one.site: one for one in ranked(model, sites_of, some, MAKER)}["encoder.blocks.1.down"]
        for sites_of in (plainly(model), mended)
    )

    assert after.damage < 0.1 * before.damage
    assert after.output_error < 0.1 * before.output_error


def test_the_damage_is_the_mean_over_all_batches_of_each_site_alone(
    model_of, some, plainly, kind, monkeypatch
):
    model = model_of(kind).eval()
    chosen = {name: one for name, one in plainly(model).items() if "up" in name or "out" in name}
    whole = MAKER(some, np.arange(len(some)))

    monkeypatch.setattr(sensitivity, "TOKENS_PER_BATCH", 40)
    monkeypatch.setattr("unmask.export.int8.damage.PLACES", 1000)
    found = ranked(model, chosen, some, MAKER)

    assert len(found) == len(chosen) == 4
    with torch.no_grad():
        for one in found:
            exact = answers(model, whole)
            with rounded(model, {one.site: chosen[one.site]}):
                moved = damages(model, whole, exact, answers(model, whole))
            assert one.damage == pytest.approx(moved.mean().item(), rel=0.02)


def test_the_error_of_an_output_is_a_share_of_its_square(model_of, some, plainly):
    """Of first layers, whose inputs can be seen from outside."""
    model, site = model_of().eval(), "encoder.blocks.0.attention.qkv"
    quantised = plainly(model)[site]

    found = ranked(model, {site: quantised}, some, MAKER)[0]

    layer, inputs = sites(model)[site], MAKER(some, np.arange(len(some)))
    with torch.no_grad():
        value = model.encoder.embedding(inputs.ids_BL)[inputs.mask_BL]
        exact = layer(value) - layer.bias
        with rounded(model, {site: quantised}):
            change = layer(value) - layer.bias - exact
    expected = change.square().sum() / exact.square().sum()
    assert found.output_error == pytest.approx(expected.item(), rel=1e-3)


def test_a_plan_of_nothing_has_no_ranks(model_of, some):
    assert ranked(model_of(), {}, some, MAKER) == []


@pytest.mark.parametrize("training", [False, True])
def test_the_model_is_as_it_was(model_of, some, plainly, unchanged, training):
    model = model_of().train(training)
    chosen = plainly(model)

    with unchanged(model):
        ranked(model, chosen, some, MAKER)


def test_a_layer_that_gives_nothing_has_no_error(model_of, some):
    model = model_of()
    site = "encoder.blocks.0.up"
    sites(model)[site].weight.data.zero_()

    found = ranked(model, {site: Quantised(0.1, 128)}, some, MAKER)[0]

    assert (found.damage, found.output_error) == (0, 0)
