"""Nodes and constants of an ONNX graph, as they come.

Only operators of the standard are used, so that every runtime reads the file and fuses as it likes.
"""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import onnx
from onnx import TensorProto, helper, numpy_helper

from unmask.core.errors import UserError

OPSET = 21
IR = 10
MOST_BYTES = 2**31 - 2**24
"""Of one file of protobuf, less what nodes take."""

Array = npt.ArrayLike
Attribute = int | float | Sequence[int]
Dimension = int | str


class Graph:
    """A graph that grows; every value is known by its name."""

    def __init__(self, float_type: npt.DTypeLike = np.float32) -> None:
        self.float_type = np.dtype(float_type)
        """Type of the weights and of what is computed from them."""
        self._nodes: list[onnx.NodeProto] = []
        self._constants: dict[str, onnx.TensorProto] = {}
        self._inputs: list[onnx.ValueInfoProto] = []
        self._outputs: list[onnx.ValueInfoProto] = []
        self._shapes: list[onnx.ValueInfoProto] = []

    def input(self, name: str, element: int, shape: Sequence[Dimension]) -> str:
        """Declare an input; `element` is a type of TensorProto."""
        self._inputs.append(helper.make_tensor_value_info(name, element, shape))
        return name

    def output(self, value: str, name: str, shape: Sequence[Dimension]) -> None:
        """Give a value out, as float32."""
        self._nodes.append(
            helper.make_node("Cast", [value], [name], name=f"{name}/cast", to=TensorProto.FLOAT)
        )
        self._outputs.append(helper.make_tensor_value_info(name, TensorProto.FLOAT, shape))

    def constant(self, name: str, array: Array) -> str:
        """Store an array under its name; the same name twice is the same array."""
        if name not in self._constants:
            self._constants[name] = numpy_helper.from_array(np.asarray(array, order="C"), name)
        return name

    def floats(self, name: str, array: Array) -> str:
        """Store numbers in the graph's own type."""
        return self.constant(name, np.asarray(array, self.float_type))

    def ints(self, *values: int) -> str:
        """Store a shape, axes or the like: a list of int64."""
        return self.constant("ints/" + "_".join(map(str, values)), np.array(values, np.int64))

    def node(self, name: str, operator: str, *inputs: str, **attributes: Attribute) -> str:
        """Add a node with one output, which bears its name."""
        return self.nodes(name, operator, *inputs, outputs=(name,), **attributes)[0]

    def nodes(
        self,
        name: str,
        operator: str,
        *inputs: str,
        outputs: Sequence[str],
        **attributes: Attribute,
    ) -> Sequence[str]:
        """Add a node with several outputs."""
        node = helper.make_node(operator, list(inputs), list(outputs), name=name)
        node.attribute.extend(helper.make_attribute(*pair) for pair in attributes.items())
        self._nodes.append(node)
        return outputs

    def shaped(self, value: str, shape: Sequence[Dimension]) -> str:
        """Say of which shape numbers are; ONNX Runtime fuses only what it knows to be alike."""
        self._shapes.append(helper.make_tensor_value_info(value, self.float_element, shape))
        return value

    @property
    def float_element(self) -> int:
        """The graph's own type, as TensorProto names it."""
        return helper.np_dtype_to_tensor_dtype(self.float_type)

    def model(self) -> onnx.ModelProto:
        """Close the graph and check it; UserError for weights that one file cannot hold."""
        total = sum(len(one.raw_data) for one in self._constants.values())
        if total > MOST_BYTES:
            raise UserError(
                f"weights of {total / 1e9:.1f} GB: one ONNX file holds 2 GB",
                "give --to pt2 or torchscript; for --to onnx, --precision fp16 halves them",
            )
        graph = helper.make_graph(
            self._nodes,
            "unmask",
            self._inputs,
            self._outputs,
            list(self._constants.values()),
            value_info=self._shapes,
        )
        model = helper.make_model(
            graph,
            opset_imports=[helper.make_opsetid("", OPSET)],
            ir_version=IR,
            producer_name="unmask",
        )
        onnx.checker.check_model(model)
        return model
