"""Graphs of every head against the models they were written from, run by both runtimes."""

import numpy as np
import onnx
import pytest
import torch
import transformers

from unmask.export.graph.heads import Form, graph_of
from unmask.infer.onnx_backend import OnnxBackend
from unmask.infer.openvino_backend import OpenVinoBackend
from unmask.infer.torch_backend import TorchBackend
from unmask.model import weights
from unmask.model.config import ModelConfig
from unmask.model.heads import (
    MaskedLM,
    MultipleChoice,
    SequenceClassifier,
    SpanExtractor,
    TokenClassifier,
)
from unmask.model.init import initialise
from unmask.tokenizer.batch import Batch

pytest.importorskip("openvino")

SHAPES = [(1, 1), (1, 33), (3, 7), (5, 32)]
LABELS = ("a", "b", "c")
HEADS = {
    MaskedLM: transformers.AutoModelForMaskedLM,
    SequenceClassifier: transformers.AutoModelForSequenceClassification,
    TokenClassifier: transformers.AutoModelForTokenClassification,
    SpanExtractor: transformers.AutoModelForQuestionAnswering,
    MultipleChoice: transformers.AutoModelForMultipleChoice,
}
FAMILIES = ["roberta", "bert"]
RUNTIMES = [OnnxBackend, OpenVinoBackend]


def model(family, kind):
    roberta = family == "roberta"
    config = ModelConfig(
        family=family,
        vocabulary=120,
        layers=2,
        width=32,
        heads=4,
        feed_forward=64,
        max_length=64,
        types=1 if roberta else 2,
        norm_eps=1e-5 if roberta else 1e-12,
        pad_id=1 if roberta else 0,
    )
    labelled = kind in (SequenceClassifier, TokenClassifier)
    built = kind(config, LABELS) if labelled else kind(config)
    initialise(built, 0)
    torch.manual_seed(0)
    for parameter in built.parameters():  # larger than at the start, so that errors show
        parameter.data += 0.1 * torch.randn_like(parameter)
    return built


def batch(config, rows, length):
    dice = np.random.default_rng(rows * 100 + length)
    ids_BL = dice.integers(4, config.vocabulary, (rows, length))
    real_B = dice.integers(1, length + 1, rows)
    mask_BL = np.arange(length) < real_B[:, None]
    ids_BL[~mask_BL] = config.pad_id
    types_BL = dice.integers(0, config.types, (rows, length)) * mask_BL
    return Batch(ids_BL, mask_BL, types_BL)


def real(logits, data):
    """What stands at real tokens, where logits are by token."""
    return logits[data.mask_BL] if logits.shape[:2] == data.mask_BL.shape else logits


def written(folder, built, form=Form()):  # noqa: B008
    path = folder / "model.onnx"
    onnx.save(graph_of(built, form), path)
    return path


def difference(backend, built, shapes=SHAPES):
    reference = TorchBackend(built, torch.device("cpu"))
    worst = 0.0
    for rows, length in shapes:
        data = batch(built.config, rows, length)
        found, expected = (real(one.logits(data), data) for one in (backend, reference))
        assert found.shape == expected.shape
        worst = max(worst, float(np.abs(found - expected).max()))
    return worst


@pytest.mark.parametrize("runtime", RUNTIMES)
@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("kind", list(HEADS))
def test_any_batch_and_length(tmp_path, kind, family, runtime):
    built = model(family, kind)

    assert difference(runtime(written(tmp_path, built)), built) < 1e-5


@pytest.mark.parametrize("runtime", RUNTIMES)
@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("kind", list(HEADS))
def test_one_shape_only(tmp_path, kind, family, runtime):
    built = model(family, kind)
    path = written(tmp_path, built, Form(batch=3, length=7))

    assert difference(runtime(path), built, [(3, 7)]) < 1e-5
    shape = onnx.load(path).graph.input[0].type.tensor_type.shape
    assert [one.dim_value for one in shape.dim] == [3, 7]


@pytest.mark.parametrize("runtime", RUNTIMES)
@pytest.mark.parametrize("family", FAMILIES)
def test_inputs_of_32_bits(tmp_path, family, runtime):
    built = model(family, SequenceClassifier)
    path = written(tmp_path, built, Form(ints="int32"))

    assert difference(runtime(path), built) < 1e-5
    inputs = onnx.load(path).graph.input
    assert {one.type.tensor_type.elem_type for one in inputs} == {onnx.TensorProto.INT32}


@pytest.mark.parametrize("runtime", RUNTIMES)
@pytest.mark.parametrize("kind", list(HEADS))
def test_half_precision_stays_near(tmp_path, kind, runtime):
    built = model("roberta", kind)
    path = written(tmp_path, built, Form(floats="float16"))

    assert 0 < difference(runtime(path), built) < 2e-2


@pytest.mark.parametrize("family", FAMILIES)
def test_activations_that_overflow_16_bits_where_they_are_squared(tmp_path, family):
    """LayerNorm's sum of squares is far beyond 65,504 here; scores before softmax are large."""
    built = model(family, TokenClassifier)
    with torch.no_grad():
        for block in built.encoder.blocks:
            block.down.weight *= 300
            block.attention.qkv.weight *= 4
    path = written(tmp_path, built, Form(floats="float16"))
    data = batch(built.config, 5, 32)

    found = real(OnnxBackend(path).logits(data), data)
    expected = real(TorchBackend(built, torch.device("cpu")).logits(data), data)
    squares = expected_squares(built, data)
    assert squares > 65504
    assert np.isfinite(found).all()
    assert (found.argmax(-1) == expected.argmax(-1)).mean() > 0.95


def expected_squares(built, data):
    """The largest sum of squares that a LayerNorm meets."""
    seen = []
    for block in built.encoder.blocks:
        block.feed_forward_norm.register_forward_pre_hook(
            lambda _, inputs: seen.append(inputs[0].square().sum(-1).max().item())
        )
    TorchBackend(built, torch.device("cpu")).logits(data)
    return max(seen)


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("kind", list(HEADS))
def test_the_same_answers_as_transformers(tmp_path, kind, family):
    built = model(family, kind)
    weights.save(built, tmp_path)
    theirs = HEADS[kind].from_pretrained(tmp_path).eval()
    backend = OnnxBackend(written(tmp_path, built))

    for rows, length in SHAPES:
        data = batch(built.config, rows, length)
        inputs = {
            "input_ids": torch.from_numpy(data.ids_BL),
            "attention_mask": torch.from_numpy(data.mask_BL).long(),
            "token_type_ids": torch.from_numpy(data.types_BL),
        }
        if kind is MultipleChoice:  # all rows are options of one question
            inputs = {name: tensor[None] for name, tensor in inputs.items()}
        with torch.no_grad():
            output = theirs(**inputs)
        if kind is SpanExtractor:
            expected = torch.stack([output.start_logits, output.end_logits], -1).numpy()
        else:
            expected = output.logits.numpy()
        if kind is MultipleChoice:
            expected = expected.T
        found = backend.logits(data)
        assert np.abs(real(found, data) - real(expected, data)).max() < 1e-5


@pytest.mark.parametrize("kind", list(HEADS))
def test_a_batch_answers_as_its_texts_alone(tmp_path, kind):
    built = model("roberta", kind)
    backend = OnnxBackend(written(tmp_path, built))
    data = batch(built.config, 5, 32)

    together = real(backend.logits(data), data)
    alone = []
    for row, length in enumerate(data.mask_BL.sum(1)):
        part = slice(row, row + 1), slice(0, length)
        one = Batch(data.ids_BL[part], data.mask_BL[part], data.types_BL[part])
        alone.append(real(backend.logits(one), one))
    assert np.abs(together - np.concatenate(alone)).max() < 1e-5


def test_no_padding_is_computed_but_in_attention(tmp_path):
    """A row of one token beside one of 32 leaves 33 rows for every linear layer."""
    path = written(tmp_path, model("roberta", TokenClassifier))
    graph = onnx.load(path)
    name = "encoder.blocks.0.up"
    graph.graph.output.append(onnx.helper.make_empty_tensor_value_info(name))
    onnx.save(graph, path)
    ids = np.full((2, 32), 5)
    mask = np.arange(32) < np.array([[1], [32]])
    session = OnnxBackend(path)._session

    wide = session.run([name], {"input_ids": ids, "attention_mask": mask.astype(np.int64)})[0]

    assert wide.shape == (1, 33, 64)
