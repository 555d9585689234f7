"""Exported programs and TorchScript against the model they were made from, and transformers.

Legend: B batch, L length, C outputs.
"""

import copy

import numpy as np
import pytest
import torch

from unmask.export.graph.heads import Form
from unmask.export.programs import write_pt2, write_torchscript
from unmask.infer.backend import PT2_FILE, TORCHSCRIPT_FILE
from unmask.infer.program_backend import ProgramBackend
from unmask.model import heads, huggingface, weights
from unmask.model.config import ModelConfig
from unmask.model.init import initialise
from unmask.tokenizer.batch import Batch

FAMILIES = ["roberta", "bert"]
HEADS = [
    heads.MaskedLM,
    heads.SequenceClassifier,
    heads.TokenClassifier,
    heads.SpanExtractor,
    heads.MultipleChoice,
]
WRITERS = {PT2_FILE: write_pt2, TORCHSCRIPT_FILE: write_torchscript}
LONGEST = 64
# None of them is the traced one; batches of one and lengths of one are where shapes get baked in.
SHAPES = [(1, 1), (4, 1), (1, 33), (3, 7), (5, 32), (2, LONGEST)]
# The same products in the same order, so that little more than nothing is left; one rounding to
# bf16 is 4e-3 of a logit, and logits here are of the order of 1.
TOLERANCE = {torch.float32: 1e-5, torch.bfloat16: 2e-2}


def model_of(family, kind):
    roberta = family == "roberta"
    config = ModelConfig(
        family=family,
        vocabulary=120,
        layers=2,
        width=32,
        heads=4,
        feed_forward=64,
        max_length=LONGEST,
        types=1 if roberta else 2,
        norm_eps=1e-5 if roberta else 1e-12,
        pad_id=1 if roberta else 0,
    )
    model = heads.build(kind, config, ("a", "b", "c") if "Classif" in kind.__name__ else ())
    initialise(model, 0)
    generator = torch.Generator().manual_seed(1)
    with torch.no_grad():
        for parameter in model.parameters():  # larger than at the start, so that errors show
            parameter += 0.1 * torch.randn(parameter.shape, generator=generator)
    return model.eval()


def batch_of(config, rows, length, *, left=False):
    dice = np.random.default_rng(0)
    real_B = dice.integers(1, length + 1, rows)
    mask_BL = np.arange(length) < real_B[:, None]
    mask_BL = mask_BL[:, ::-1].copy() if left else mask_BL
    ids_BL = np.where(mask_BL, dice.integers(4, config.vocabulary, mask_BL.shape), config.pad_id)
    types_BL = dice.integers(0, config.types, mask_BL.shape) * mask_BL
    return Batch(ids_BL, mask_BL, types_BL)


@torch.inference_mode()
def eager(model, batch):
    """Logits as the model's own forward gives them, in the layout of a backend."""
    inputs = [torch.from_numpy(array) for array in (batch.ids_BL, batch.mask_BL, batch.types_BL)]
    if isinstance(model, heads.MultipleChoice):  # all rows are options of one question
        return model(*(tensor[None] for tensor in inputs)).view(-1, 1).float().numpy()
    output = model(*inputs)
    if isinstance(model, heads.SpanExtractor):
        output = torch.stack(output, dim=-1)
    return output.float().numpy()


def assert_alike(found, expected, batch, tolerance):
    """At padding, logits of tokens mean nothing."""
    assert found.dtype == np.float32
    assert found.shape == expected.shape
    if found.ndim == 3:
        found, expected = found[batch.mask_BL], expected[batch.mask_BL]
    assert np.abs(found - expected).max() <= tolerance


@pytest.mark.parametrize("dtype", TOLERANCE, ids=str)
@pytest.mark.parametrize("file", WRITERS)
@pytest.mark.parametrize("kind", HEADS)
@pytest.mark.parametrize("family", FAMILIES)
def test_a_program_gives_what_the_model_gives_at_any_shape(tmp_path, family, kind, file, dtype):
    model = model_of(family, kind)
    WRITERS[file](model, Form(), tmp_path / file, dtype)
    program, reference = ProgramBackend(tmp_path / file), copy.deepcopy(model).to(dtype)

    for rows, length in SHAPES:
        for left in (False, True):
            data = batch_of(model.config, rows, length, left=left)
            expected = eager(reference, data)
            assert_alike(program.logits(data), expected, data, TOLERANCE[dtype])


@pytest.mark.parametrize("file", WRITERS)
@pytest.mark.parametrize(
    ("family", "kind", "form"),
    [
        ("roberta", heads.SequenceClassifier, Form(batch=1, length=1)),
        ("bert", heads.TokenClassifier, Form(batch=3, length=16, ints="int32")),
        ("bert", heads.MultipleChoice, Form(length=16)),
        ("roberta", heads.SpanExtractor, Form(batch=2)),
    ],
)
def test_a_program_of_one_shape_gives_what_the_model_gives(tmp_path, family, kind, file, form):
    model = model_of(family, kind)
    WRITERS[file](model, form, tmp_path / file)
    program = ProgramBackend(tmp_path / file)

    for rows, length in {(form.batch or rows, form.length or length) for rows, length in SHAPES}:
        data = batch_of(model.config, rows, length)
        assert_alike(program.logits(data), eager(model, data), data, 1e-5)


@pytest.mark.parametrize("file", WRITERS)
@pytest.mark.parametrize(
    ("family", "kind", "outputs"),
    [
        ("roberta", heads.MaskedLM, ("logits",)),
        ("bert", heads.SpanExtractor, ("start_logits", "end_logits")),
    ],
)
def test_a_program_gives_what_transformers_gives(tmp_path, family, kind, outputs, file):
    transformers = pytest.importorskip("transformers")
    model = model_of(family, kind)
    weights.save(model, tmp_path / "folder")
    theirs = getattr(transformers, huggingface.architecture(model))
    theirs = theirs.from_pretrained(tmp_path / "folder").eval()
    WRITERS[file](model, Form(), tmp_path / file)
    program = ProgramBackend(tmp_path / file)

    assert program.signature.outputs == outputs
    for rows, length in SHAPES:
        data = batch_of(model.config, rows, length)
        with torch.inference_mode():
            given = theirs(
                input_ids=torch.from_numpy(data.ids_BL),
                attention_mask=torch.from_numpy(data.mask_BL).long(),
                token_type_ids=torch.from_numpy(data.types_BL),
            )
        arrays = [given[name].numpy() for name in outputs]
        expected = np.stack(arrays, axis=-1) if len(arrays) > 1 else arrays[0]
        assert_alike(program.logits(data), expected, data, 1e-5)
