"""A model that computes in float what its 8-bit graph computes.

Legend: I width of a layer's input, O of its output; ... any shape.
"""

from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from unmask.export.graph.layers import numpy
from unmask.export.int8.plan import Quantised, weight_ints
from unmask.export.int8.ranges import MOST
from unmask.export.int8.sites import Model, intercepted, sites


@contextmanager
def rounded(model: Model, plan: Mapping[str, Quantised]) -> Iterator[None]:
    """Within, the sites of the plan compute as the exported graph does in 8 bits.

    Afterwards the model is what it was, to the bit and down to the objects. It has to be in float32
    and gets no gradients there. A dynamic range is that of all that goes in at once: run it without
    padding (`Encoder.packed`, `Encoder.asked`), as the graph does.
    """
    layers = sites(model)

    def change(name: str, value: Tensor) -> Tensor:
        return rounded_input(value, plan[name]) if name in plan else value

    with ExitStack() as stack:
        for name, site in plan.items():
            stack.enter_context(_weight(layers[name], rounded_weight(layers[name], site)))
        stack.enter_context(intercepted(model, change))
        yield


def rounded_input(value: Tensor, site: Quantised) -> Tensor:
    """Migrate an input (..., I), and give it as its numbers of 8 bits say it.

    As ONNX's QuantizeLinear has it, to even and then cut; or, without a scale, as its
    DynamicQuantizeLinear does.
    """
    if site.migration_I is not None:
        value = value * torch.from_numpy(1 / site.migration_I).to(value.device)
    if site.scale is None:
        return _rounded_by_itself(value)
    ints = (torch.round(value / site.scale) + site.zero).clamp(0, MOST)
    return (ints - site.zero) * site.scale


def rounded_weight(layer: nn.Linear, site: Quantised) -> Tensor:
    """Migrate a layer's weight, and give it as its numbers of 8 bits say it: (O, I)."""
    ints_IO, scale_O = weight_ints(numpy(layer.weight).T, site)
    return torch.from_numpy((ints_IO * scale_O).T.copy()).to(layer.weight.device)


def product(layer: nn.Linear, value: Tensor, site: Quantised) -> Tensor:
    """What a layer in 8 bits makes of an input (..., I), without its bias: (..., O)."""
    return F.linear(rounded_input(value, site), rounded_weight(layer, site))


def _rounded_by_itself(value: Tensor) -> Tensor:
    low, high = value.min().clamp(max=0), value.max().clamp(min=0)
    scale = torch.where(high > low, (high - low) / MOST, torch.ones_like(high))
    zero = torch.round((-low / scale).clamp(0, MOST))
    ints = (torch.round(value / scale) + zero).clamp(0, MOST)
    return (ints - zero) * scale


@contextmanager
def _weight(layer: nn.Linear, weight_OI: Tensor) -> Iterator[None]:
    """Let a layer have another weight within."""
    own = layer.weight
    layer.weight = nn.Parameter(weight_OI, requires_grad=False)
    try:
        yield
    finally:
        layer.weight = own
