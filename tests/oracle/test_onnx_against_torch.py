"""The exported file against the model it was made from, at shapes it was not traced with."""

import numpy as np
import pytest
import torch

from unmask.export.onnx import export
from unmask.infer.onnx_backend import OnnxBackend
from unmask.infer.torch_backend import TorchBackend
from unmask.model.config import ModelConfig
from unmask.model.heads import MaskedLM, SequenceClassifier
from unmask.model.init import initialise
from unmask.tokenizer.batch import Batch

SHAPES = [(1, 1), (1, 33), (3, 7), (5, 32)]


def model(family, kind, *labels):
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
    built = kind(config, *labels)
    initialise(built, 0)
    for parameter in built.parameters():  # larger than at the start, so that errors show
        parameter.data += 0.1 * torch.randn_like(parameter)
    return built


def batch(model_, rows, length):
    dice = np.random.default_rng(0)
    config = model_.config
    ids_BL = dice.integers(4, config.vocabulary, (rows, length))
    real_B = dice.integers(1, length + 1, rows)
    mask_BL = np.arange(length) < real_B[:, None]
    ids_BL[~mask_BL] = config.pad_id
    return Batch(ids_BL, mask_BL, np.zeros_like(ids_BL) + (config.types - 1) * mask_BL)


@pytest.mark.parametrize(
    ("family", "kind", "labels"),
    [
        ("roberta", MaskedLM, ()),
        ("bert", MaskedLM, ()),
        ("roberta", SequenceClassifier, (("a", "b", "c"),)),
    ],
)
def test_onnx_equals_torch_for_any_batch_and_length(tmp_path, family, kind, labels):
    original = model(family, kind, *labels)
    export(original, original.config, tmp_path / "model.onnx")
    exported, reference = OnnxBackend(tmp_path / "model.onnx"), TorchBackend(original)

    for rows, length in SHAPES:
        data = batch(original, rows, length)
        found, expected = exported.logits(data), reference.logits(data)
        if kind is MaskedLM:
            found, expected = found[data.mask_BL], expected[data.mask_BL]
        assert np.abs(found - expected).max() <= 1e-4
