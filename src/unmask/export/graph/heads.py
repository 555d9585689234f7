"""Each head as a graph; inputs and outputs have the names that users of transformers expect.

Legend: B batch, L length, C outputs.
"""

import dataclasses
from typing import Literal

import numpy as np
import onnx
from onnx import helper

from unmask.export.graph.encoder import EncoderGraph, Inputs
from unmask.export.graph.layers import Layers, Plan, numpy
from unmask.export.graph.nodes import Dimension, Graph
from unmask.export.int8.sites import Model
from unmask.model.heads import (
    MaskedLM,
    MultipleChoice,
    SequenceClassifier,
    SpanExtractor,
    TokenClassifier,
)

Exported = Model


@dataclasses.dataclass(frozen=True, slots=True)
class Form:
    """What a graph is written for."""

    batch: int | None = None
    """One batch size only; with it goes a length. None: any, and padding is not computed."""
    length: int | None = None
    ints: Literal["int32", "int64"] = "int64"
    floats: Literal["float32", "float16"] = "float32"

    @property
    def shape(self) -> tuple[Dimension, Dimension]:
        """[B, L]."""
        return self.batch or "batch", self.length or "length"


def graph_of(model: Exported, form: Form, plan: Plan | None = None) -> onnx.ModelProto:
    """Write a model as a graph; the layers of the plan in 8 bits."""
    graph = Graph(form.floats)
    inputs = _inputs(graph, model, form)
    layers = Layers(graph, plan or {})
    encoder = EncoderGraph(layers, model.config, inputs, pack=form.batch is None)
    match model:
        case SequenceClassifier() | MultipleChoice():
            _of_sequences(encoder, model, form)
        case TokenClassifier() | SpanExtractor():
            _of_tokens(encoder, model, form)
        case MaskedLM():
            _masked_lm(encoder, model, form)
    return graph.model()


def _inputs(graph: Graph, model: Exported, form: Form) -> Inputs:
    kind = np.dtype(form.ints)
    element = int(helper.np_dtype_to_tensor_dtype(kind))
    names = ["input_ids", "attention_mask"]
    if model.config.types > 1:
        names.append("token_type_ids")
    ids, mask, *types = (graph.input(name, element, form.shape) for name in names)
    return Inputs(ids, mask, types[0] if types else None, kind)


def _of_sequences(
    encoder: EncoderGraph, model: SequenceClassifier | MultipleChoice, form: Form
) -> None:
    """Logits (B, C): of multiple choice, a row is an option and C is 1."""
    graph, layers = encoder.graph, encoder.layers
    states = encoder.first_states(model.encoder)
    dense = layers.linear("dense", model.dense, states)
    pooled = graph.node("pooled", "Tanh", dense)
    logits = layers.linear("out", model.out, pooled)
    flat = graph.node("logits/flat", "Reshape", logits, graph.ints(-1, model.out.out_features))
    graph.output(flat, "logits", (form.shape[0], model.out.out_features))


def _of_tokens(encoder: EncoderGraph, model: TokenClassifier | SpanExtractor, form: Form) -> None:
    """Logits (B, L, C), or (B, L) each of starts and ends."""
    graph = encoder.graph
    outputs = model.out.out_features
    logits = encoder.layers.linear("out", model.out, encoder.states(model.encoder))
    padded = encoder.by_place(logits, "logits", outputs)
    if isinstance(model, TokenClassifier):
        graph.output(padded, "logits", (*form.shape, outputs))
        return
    for number, name in enumerate(("start_logits", "end_logits")):
        index = graph.constant(f"{name}.index", np.int64(number))
        one = graph.node(f"{name}/one", "Gather", padded, index, axis=2)
        graph.output(one, name, form.shape)


def _masked_lm(encoder: EncoderGraph, model: MaskedLM, form: Form) -> None:
    """Logits (B, L, V); the decoder is the word embedding, stored once."""
    graph, layers = encoder.graph, encoder.layers
    dense = layers.linear("dense", model.dense, encoder.states(model.encoder))
    wide = graph.node("dense/gelu", "Gelu", dense)
    value = layers.norm("norm", model.norm, wide)
    words = graph.floats("embedding.word", numpy(model.encoder.embedding.word.weight))
    turned = graph.node("decoder/turned", "Transpose", words, perm=[1, 0])
    product = graph.node("decoder/product", "MatMul", value, turned)
    logits = graph.node("decoder", "Add", product, graph.floats("bias", numpy(model.bias)))
    vocabulary = model.config.vocabulary
    graph.output(
        encoder.by_place(logits, "logits", vocabulary), "logits", (*form.shape, vocabulary)
    )
