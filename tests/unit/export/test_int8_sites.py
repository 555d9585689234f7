"""Every layer of the blocks is a site, and all that goes into one passes by, whichever way."""

import pytest
import torch
from torch import nn

from unmask.export.int8.sites import intercepted, sites, work

BLOCK = ["attention.qkv", "attention.out", "up", "down"]
NAMES = [f"encoder.blocks.{number}.{name}" for number in range(2) for name in BLOCK]


@pytest.fixture
def model(model_of):
    return model_of().eval()


@pytest.fixture
def seen_by(model, through):
    """Give the sites that a way passes by, and the shapes of what goes in."""

    def of(way):
        seen = []

        def look(name, value):
            seen.append((name, tuple(value.shape)))
            return value

        with intercepted(model, look):
            through(model, way)
        return seen

    return of


def test_sites_are_the_linear_layers_of_blocks_in_order_of_computation(model, seen_by):
    found = sites(model)

    assert list(found) == NAMES
    modules = dict(model.named_modules())
    assert all(found[name] is modules[name] for name in NAMES)
    assert [name for name, _ in seen_by("packed")] == NAMES


def test_no_linear_layer_but_the_heads_is_left_out(model):
    linear = {name for name, one in model.named_modules() if isinstance(one, nn.Linear)}

    assert linear - set(sites(model)) == {"out"}


def test_work_is_the_multiplications_of_a_token(model):
    assert {name: work(layer) for name, layer in list(sites(model).items())[:4]} == {
        "encoder.blocks.0.attention.qkv": 32 * 96,
        "encoder.blocks.0.attention.out": 32 * 32,
        "encoder.blocks.0.up": 32 * 48,
        "encoder.blocks.0.down": 48 * 32,
    }


def test_packed_inputs_hold_no_padding(seen_by):
    assert {shape[0] for _, shape in seen_by("packed")} == {6}


def test_the_last_block_hands_over_asked_tokens_and_then_all(seen_by):
    last = [one for one in seen_by("asked") if ".1." in one[0]]

    assert last == [
        ("encoder.blocks.1.attention.qkv", (2, 1, 32)),
        ("encoder.blocks.1.attention.qkv", (6, 32)),
        ("encoder.blocks.1.attention.out", (2, 1, 32)),
        ("encoder.blocks.1.up", (2, 1, 32)),
        ("encoder.blocks.1.down", (2, 1, 48)),
    ]


@pytest.mark.parametrize("name", NAMES)
def test_what_is_handed_back_is_what_a_layer_gets(model, through, way, name):
    """An input of 0 leaves the bias alone, as a weight of 0 does."""
    with intercepted(model, lambda site, value: value * (site != name)):
        found = through(model, way)
    sites(model)[name].weight.data.zero_()
    expected = through(model, way)

    torch.testing.assert_close(found, expected)


def test_afterwards_nothing_passes_by_any_more(model, through, way):
    seen = []
    before = through(model, way)
    with pytest.raises(ZeroDivisionError), intercepted(model, lambda *one: seen.append(one)):
        raise ZeroDivisionError
    after = through(model, way)

    assert not seen
    assert torch.equal(before, after)
    assert not any(layer._forward_pre_hooks for layer in sites(model).values())
    assert all("asked" not in vars(block.attention) for block in model.encoder.blocks)


def test_one_within_another_ends_before_it(model, through):
    seen = []

    def look(mark):
        return lambda _, value: (seen.append(mark), value)[1]

    with intercepted(model, look("outer")):
        with intercepted(model, look("inner")):
            through(model, "asked")
        both, seen[:] = seen.copy(), []
        through(model, "asked")

    assert both.count("outer") == both.count("inner") == 9
    assert seen == ["outer"] * 9
