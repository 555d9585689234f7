"""Tiny models of every head, what they read, and the ways through them.

Legend: B batch, L length, T real tokens.
"""

from contextlib import contextmanager
from typing import get_args

import numpy as np
import pytest
import torch

from unmask.export.config import Method
from unmask.finetune.sequences import Sequences
from unmask.model.config import ModelConfig
from unmask.model.heads import (
    MaskedLM,
    MultipleChoice,
    SequenceClassifier,
    SpanExtractor,
    TokenClassifier,
    build,
)
from unmask.model.init import initialise

VOCABULARY = 120
PAD = 1
SHAPE = {
    "vocabulary": VOCABULARY,
    "layers": 2,
    "width": 32,
    "heads": 4,
    "feed_forward": 48,
    "norm_eps": 1e-5,
    "init_std": 0.2,
    "pad_id": PAD,
}


@pytest.fixture(
    params=[SequenceClassifier, MultipleChoice, TokenClassifier, SpanExtractor, MaskedLM],
    ids=lambda kind: kind.__name__,
)
def kind(request):
    """Every head."""
    return request.param


@pytest.fixture(params=["roberta", "bert"])
def family(request):
    """Either family."""
    return request.param


@pytest.fixture(params=get_args(Method))
def method(request):
    """Every way of finding a range."""
    return request.param


@pytest.fixture(scope="session")
def model_of():
    """Make a tiny random model of a head; classifiers have three labels, regression one."""

    def make(kind=TokenClassifier, family="roberta", problem=None, **shape):
        types = 1 if family == "roberta" else 2
        config = ModelConfig(family=family, types=types, **SHAPE | shape)
        labels = ()
        if issubclass(kind, SequenceClassifier | TokenClassifier):
            labels = ("score",) if problem == "regression" else ("a", "b", "c")
        model = build(kind, config, labels, problem)
        initialise(model, 0)
        return model

    return make


@pytest.fixture(scope="session")
def texts():
    """Make sequences of these lengths: random ids, the first two tokens of another type."""

    def make(lengths):
        dice = np.random.default_rng(0)
        ids = [dice.integers(4, VOCABULARY, length).tolist() for length in lengths]
        return Sequences.of(ids, [[0] * 2 + [1] * (len(one) - 2) for one in ids])

    return make


@pytest.fixture(scope="session")
def some(texts):
    """Sequences of several lengths."""
    return texts([12, 5, 30, 30, 7, 3, 19])


@pytest.fixture(params=["forward", "packed", "asked"])
def way(request):
    """Every way through an encoder."""
    return request.param


@pytest.fixture(scope="session")
def through():
    """Send two sequences, of four tokens and of two, one way through a model's encoder."""
    ids_BL = torch.tensor([[5, 6, 7, 8], [9, 10, PAD, PAD]])
    mask_BL = ids_BL != PAD
    real_T = mask_BL.flatten().nonzero().squeeze(1)
    first_B1 = torch.zeros(2, 1, dtype=torch.long)

    @torch.no_grad()
    def states(model, way):
        match way:
            case "forward":
                return model.encoder(ids_BL, mask_BL)
            case "packed":
                return model.encoder.packed(ids_BL, mask_BL, None, real_T)
            case "asked":
                return model.encoder.asked(ids_BL, first_B1, mask_BL, None, real_T)

    return states


@pytest.fixture(scope="session")
def unchanged():
    """Give a block that a model has to leave with the mode and the numbers it came with."""

    @contextmanager
    def block(model):
        training = model.training
        before = {name: one.clone() for name, one in model.state_dict().items()}
        yield
        assert model.training is training
        assert all(torch.equal(one, before[name]) for name, one in model.state_dict().items())

    return block
