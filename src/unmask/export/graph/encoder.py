"""The encoder as a graph: packed for any batch and length, or padded for one fixed shape.

Packed, padding is taken out before the first layer and stands in attention alone, as
model/packing.py has it. The states are (1, T, D) then, and (B, L, D) otherwise.

Legend: B batch, L length, P = B * L places, T real tokens, D width, H heads, K head size.
"""

import dataclasses
from typing import Any

import numpy as np
from onnx import TensorProto, helper
from torch import Tensor

from unmask.export.graph.layers import Layers, numpy
from unmask.export.graph.nodes import Graph
from unmask.model.attention import Attention
from unmask.model.config import ModelConfig
from unmask.model.encoder import Block, Encoder

MASKED = -1e4
"""Added to the score of a place that may not be looked at. It is finite in 16 bits, too, where
-inf would make a row of padding into a row of NaN."""


@dataclasses.dataclass(frozen=True, slots=True)
class Inputs:
    """Names of what comes in."""

    ids: str
    mask: str
    types: str | None
    """None for a model that does not tell segments apart."""
    type: np.dtype[Any]
    """int32 or int64."""

    @property
    def element(self) -> int:
        """The type, as TensorProto names it."""
        return int(helper.np_dtype_to_tensor_dtype(self.type))


@dataclasses.dataclass(frozen=True, slots=True)
class Packed:
    """Where real tokens stand."""

    real_T: str
    """Their places in B * L."""
    rank_P: str
    """Of each place: its token's number among the real ones; at padding, some other's."""
    first_B: str
    """The number of each sequence's first token."""
    shape: str
    """[B, L]."""
    by_head: str
    """[B, L, H, K]."""


class EncoderGraph:
    """Writes an encoder; `packed` is None where padding is computed like all the rest."""

    def __init__(self, layers: Layers, config: ModelConfig, inputs: Inputs, *, pack: bool) -> None:
        self.layers, self.graph, self.config = layers, layers.graph, config
        self.inputs = inputs
        self.packed = _packed(self.graph, config, inputs) if pack else None
        self._bias_B11L = self._bias()

    def states(self, encoder: Encoder) -> str:
        """What the last layer gives: (1, T, D) or (B, L, D)."""
        value = self._embedded(encoder)
        for number, block in enumerate(encoder.blocks):
            value = self._block(f"encoder.blocks.{number}", block, value)  # type: ignore[arg-type]
        return value

    def first_states(self, encoder: Encoder) -> str:
        """What the last layer gives at first tokens, (1, B, D) or (B, 1, D), and nothing else."""
        value = self._embedded(encoder)
        last = len(encoder.blocks) - 1
        for number, block in enumerate(encoder.blocks):
            name = f"encoder.blocks.{number}"
            value = self._block(name, block, value, first=number == last)  # type: ignore[arg-type]
        return value

    def by_place(self, value: str, name: str, width: int) -> str:
        """Lay out what there is of each token as (B, L, width)."""
        if self.packed is None:
            return value
        graph = self.graph
        places = graph.node(f"{name}/places", "Gather", value, self.packed.rank_P, axis=1)
        shape = graph.node(f"{name}/shape", "Concat", self.packed.shape, graph.ints(width), axis=0)
        return graph.node(f"{name}/padded", "Reshape", places, shape)

    def _embedded(self, encoder: Encoder) -> str:
        graph, embedding = self.graph, encoder.embedding
        ids, types = self._tokens("ids", self.inputs.ids), self.inputs.types
        words = self._rows("word", embedding.word.weight, ids)
        places = self._tokens("places", self._positions())
        total = graph.node(
            "embedding/places",
            "Add",
            words,
            self._rows("position", embedding.position.weight, places),
        )
        if types is None:
            kind = graph.floats("embedding.type", numpy(embedding.token_type.weight)[0])
        else:
            kind = self._rows("type", embedding.token_type.weight, self._tokens("types", types))
        total = graph.node("embedding/types", "Add", total, kind)
        return self.layers.norm("embedding/norm", embedding.norm, total)

    def _rows(self, name: str, table: Tensor, index: str) -> str:
        rows = self.graph.floats(f"embedding.{name}", numpy(table))
        return self.graph.node(f"embedding/{name}", "Gather", rows, index)

    def _tokens(self, name: str, value_BL: str) -> str:
        """Take the real tokens of something, (1, T); padded, all of it."""
        if self.packed is None:
            return value_BL
        graph = self.graph
        flat = graph.node(f"tokens/{name}/flat", "Reshape", value_BL, graph.ints(1, -1))
        return graph.node(f"tokens/{name}", "Gather", flat, self.packed.real_T, axis=1)

    def _positions(self) -> str:
        """Rows of the position table, (B, L), as model/encoder.py counts them."""
        graph, ids = self.graph, self.inputs.ids
        along = graph.constant("positions.axis", np.int64(1))
        if self.config.family == "bert":
            zero = graph.constant("zero", np.array(0, self.inputs.type))
            one = graph.constant("one", np.array(1, self.inputs.type))
            none = graph.node("positions/zeros", "Mul", ids, zero)
            ones = graph.node("positions/ones", "Add", none, one)
            return graph.node("positions", "CumSum", ones, along, exclusive=1)
        pad = graph.constant("pad", np.array(self.config.pad_id, self.inputs.type))
        padding = graph.node("positions/padding", "Equal", ids, pad)
        real = graph.node("positions/real", "Not", padding)
        ones = graph.node("positions/ones", "Cast", real, to=self.inputs.element)
        count = graph.node("positions/count", "CumSum", ones, along)
        counted = graph.node("positions/counted", "Mul", count, ones)
        return graph.node("positions", "Add", counted, pad)

    def _bias(self) -> str:
        """0 at real places and MASKED at padding, (B, 1, 1, L), in 32 bits."""
        graph = self.graph
        mask = graph.node("mask/float", "Cast", self.inputs.mask, to=TensorProto.FLOAT)
        one = graph.constant("mask.one", np.float32(1))
        away = graph.node("mask/away", "Sub", one, mask)
        bias = graph.node("mask/bias", "Mul", away, graph.constant("mask.low", np.float32(MASKED)))
        return graph.node("mask", "Unsqueeze", bias, graph.ints(1, 2))

    def _block(self, name: str, block: Block, value: str, *, first: bool = False) -> str:
        graph, layers = self.graph, self.layers
        asked = self._firsts(name, value) if first else value
        mixed = self._attention(f"{name}.attention", block.attention, asked, value, first=first)
        value = self._added(f"{name}/attended", asked, mixed, first=first)
        value = layers.norm(f"{name}.attention_norm", block.attention_norm, value)
        wide = layers.linear(f"{name}.up", block.up, value)
        wide = graph.node(f"{name}/gelu", "Gelu", wide)
        fed = layers.linear(f"{name}.down", block.down, wide)
        value = self._added(f"{name}/fed", value, fed, first=first)
        return layers.norm(f"{name}.feed_forward_norm", block.feed_forward_norm, value)

    def _added(self, name: str, left: str, right: str, *, first: bool) -> str:
        """Add two states of one shape."""
        if self.packed is not None:
            shape = 1, "sequences" if first else "tokens", self.config.width
            left, right = self.graph.shaped(left, shape), self.graph.shaped(right, shape)
        return self.graph.node(name, "Add", left, right)

    def _firsts(self, name: str, value: str) -> str:
        """Take the first token of each sequence."""
        graph = self.graph
        if self.packed is None:
            return graph.node(f"{name}/firsts", "Gather", value, graph.ints(0), axis=1)
        return graph.node(f"{name}/firsts", "Gather", value, self.packed.first_B, axis=1)

    def _attention(
        self, name: str, attention: Attention, asked: str, value: str, *, first: bool
    ) -> str:
        """Write model/attention.py; the scores are made from queries that are scaled before."""
        graph, heads = self.graph, self.config.heads
        width = self.config.width
        parts = [
            self.layers.linear(f"{name}.qkv", attention.qkv, source, slice(at, at + width))
            for source, at in ((asked, 0), (value, width), (value, 2 * width))
        ]
        q_BHNK = self._heads(f"{name}/query", parts[0], first=first)
        k_BHKL = self._heads(f"{name}/key", parts[1], order=(0, 2, 3, 1))
        v_BHLK = self._heads(f"{name}/value", parts[2])
        scale = graph.floats("attention.scale", np.array((width // heads) ** -0.5))
        q_BHNK = graph.node(f"{name}/scaled", "Mul", q_BHNK, scale)
        scores = graph.node(f"{name}/scores", "MatMul", q_BHNK, k_BHKL)
        weights = self._softmax(name, scores)
        mixed = graph.node(f"{name}/mixed", "MatMul", weights, v_BHLK)
        mixed = graph.node(f"{name}/turned", "Transpose", mixed, perm=[0, 2, 1, 3])
        return self.layers.linear(
            f"{name}.out", attention.out, self._joined(name, mixed, first=first)
        )

    def _softmax(self, name: str, scores: str) -> str:
        """Softmax in 32 bits, whatever the graph's own type is."""
        graph = self.graph
        half = graph.float_type != np.float32
        if half:
            scores = graph.node(f"{name}/wide", "Cast", scores, to=TensorProto.FLOAT)
        biased = graph.node(f"{name}/biased", "Add", scores, self._bias_B11L)
        weights = graph.node(f"{name}/weights", "Softmax", biased, axis=-1)
        if half:
            weights = graph.node(f"{name}/narrow", "Cast", weights, to=graph.float_element)
        return weights

    def _heads(
        self,
        name: str,
        value: str,
        order: tuple[int, ...] = (0, 2, 1, 3),
        *,
        first: bool = False,
    ) -> str:
        """Lay out what there is of each token as (B, H, L, K), or in another order of B L H K."""
        graph, heads = self.graph, self.config.heads
        size = self.config.width // heads
        if self.packed is None or first:
            # With first, one token a sequence: (1, B, D) is (B, 1, D).
            rows = (-1, 1) if first else (0, 0)
            split = graph.node(f"{name}/split", "Reshape", value, graph.ints(*rows, heads, size))
        else:
            places = graph.node(f"{name}/places", "Gather", value, self.packed.rank_P, axis=1)
            split = graph.node(f"{name}/split", "Reshape", places, self.packed.by_head)
        return graph.node(name, "Transpose", split, perm=list(order))

    def _joined(self, name: str, mixed_BLHK: str, *, first: bool) -> str:
        """Bring the heads together again, and leave padding out."""
        graph, width = self.graph, self.config.width
        if self.packed is None:
            return graph.node(f"{name}/joined", "Reshape", mixed_BLHK, graph.ints(0, 0, width))
        joined = graph.node(f"{name}/joined", "Reshape", mixed_BLHK, graph.ints(1, -1, width))
        if first:
            return joined
        return graph.node(f"{name}/real", "Gather", joined, self.packed.real_T, axis=1)


def _packed(graph: Graph, config: ModelConfig, inputs: Inputs) -> Packed:
    flat = graph.node("packing/mask", "Reshape", inputs.mask, graph.ints(-1))
    places = graph.node("packing/places", "NonZero", flat)
    real_T = graph.node("packing/real", "Squeeze", places, graph.ints(0))
    along = graph.constant("packing.axis", np.int64(0))
    count = graph.node("packing/count", "CumSum", flat, along)
    one, zero = (graph.constant(f"packing.{n}", np.array(n, inputs.type)) for n in (1, 0))
    rank = graph.node("packing/before", "Sub", count, one)
    rank_P = graph.node("packing/rank", "Max", rank, zero)
    shape = graph.node("packing/shape", "Shape", inputs.ids)
    rank_BL = graph.node("packing/rank_by_place", "Reshape", rank_P, shape)
    first_B = graph.node(
        "packing/first", "Gather", rank_BL, graph.constant("packing.start", np.int64(0)), axis=1
    )
    heads = graph.ints(config.heads, config.width // config.heads)
    by_head = graph.node("packing/by_head", "Concat", shape, heads, axis=0)
    return Packed(real_T, rank_P, first_B, shape, by_head)
