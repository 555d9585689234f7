"""Linear layers and LayerNorms as nodes.

Legend: I width that comes in, O width that goes out.
"""

from collections.abc import Mapping

import numpy as np
from torch import Tensor, nn

from unmask.export.graph.nodes import Graph
from unmask.export.int8.plan import Floats, Quantised, weight_ints

Plan = Mapping[str, Quantised]
"""The linear layers that are computed in 8 bits, by their names in the model."""


class Layers:
    """Writes layers under the names they have in the model."""

    def __init__(self, graph: Graph, plan: Plan) -> None:
        self.graph = graph
        self.plan = plan
        self._written: dict[tuple[str, str], str] = {}

    def linear(self, name: str, layer: nn.Linear, value: str, rows: slice = slice(None)) -> str:
        """Write value @ weight.T + bias; with rows, only those outputs of the layer."""
        part = "" if rows == slice(None) else f"/{rows.start}"
        weight_IO, bias_O = numpy(layer.weight)[rows].T, numpy(layer.bias)[rows]
        site = self.plan.get(name)
        if site is None:
            weight = self.graph.floats(f"{name}{part}.weight", weight_IO)
            product = self.graph.node(f"{name}{part}/product", "MatMul", value, weight)
        else:
            product = self._quantised(name, part, site, weight_IO, value)
        bias = self.graph.floats(f"{name}{part}.bias", bias_O)
        return self.graph.node(f"{name}{part}", "Add", product, bias)

    def norm(self, name: str, layer: nn.LayerNorm, value: str) -> str:
        """Normalise the last axis; mean and variance are of 32 bits whatever comes in."""
        return self.graph.node(
            name,
            "LayerNormalization",
            value,
            self.graph.floats(f"{name}.weight", numpy(layer.weight)),
            self.graph.floats(f"{name}.bias", numpy(layer.bias)),
            axis=-1,
            epsilon=layer.eps,
            stash_type=1,
        )

    def _quantised(
        self, name: str, part: str, site: Quantised, weight_IO: Floats, value: str
    ) -> str:
        """Write a product of 8-bit numbers, the weights' scale by output."""
        ints_IO, scale_O = weight_ints(weight_IO, site)
        weight = self.graph.constant(f"{name}{part}.weight", ints_IO.astype(np.int8))
        scale = self.graph.constant(f"{name}{part}.scale", scale_O)
        if site.scale is None:
            return self._dynamic(f"{name}{part}", site, value, weight, scale)
        weights = self.graph.node(f"{name}{part}/weight", "DequantizeLinear", weight, scale, axis=1)
        return self.graph.node(
            f"{name}{part}/product", "MatMul", self._rounded(name, site, value), weights
        )

    def _rounded(self, name: str, site: Quantised, value: str) -> str:
        """Write an input as its 8-bit number says it; once for all that read it."""
        if (name, value) in self._written:
            return self._written[name, value]
        own = f"{name}/{len(self._written)}"
        source = self._migrated(own, name, site, value)
        scale = self.graph.constant(f"{name}.input_scale", np.float32(site.scale))
        zero = self.graph.constant(f"{name}.input_zero", np.uint8(site.zero))
        ints = self.graph.node(f"{own}/ints", "QuantizeLinear", source, scale, zero)
        back = self.graph.node(f"{own}/rounded", "DequantizeLinear", ints, scale, zero)
        self._written[name, value] = back
        return back

    def _dynamic(self, name: str, site: Quantised, value: str, weight: str, scale: str) -> str:
        """Write a product whose input's range is found as it comes, over the whole batch."""
        key = (name.split("/")[0], value)
        if key not in self._written:
            own = f"{key[0]}/input{len(self._written)}"
            source = self._migrated(own, key[0], site, value)
            ints = f"{own}/ints", f"{own}/scale", f"{own}/zero"
            self.graph.nodes(own, "DynamicQuantizeLinear", source, outputs=ints)
            self._written[key] = own
        own = self._written[key]
        product = self.graph.node(
            f"{name}/integers", "MatMulInteger", f"{own}/ints", weight, f"{own}/zero"
        )
        floats = self.graph.node(f"{name}/floats", "Cast", product, to=1)
        both = self.graph.node(f"{name}/scales", "Mul", f"{own}/scale", scale)
        return self.graph.node(f"{name}/product", "Mul", floats, both)

    def _migrated(self, own: str, name: str, site: Quantised, value: str) -> str:
        if site.migration_I is None:
            return value
        shrink = self.graph.floats(f"{name}.migration", 1 / site.migration_I)
        return self.graph.node(f"{own}/migrated", "Mul", value, shrink)


def numpy(parameter: Tensor) -> Floats:
    """A parameter as an array of numpy."""
    array: Floats = parameter.detach().float().cpu().numpy()
    return array
