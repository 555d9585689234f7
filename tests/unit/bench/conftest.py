"""Folders of tiny models that read at most 40 tokens, with a tokenizer of bytes."""

import functools

import pytest
from tokenizers.pre_tokenizers import ByteLevel

from unmask.model import weights
from unmask.model.config import ModelConfig
from unmask.model.heads import build
from unmask.model.init import initialise
from unmask.tokenizer.build import byte_level_bpe

LENGTH = 40


@pytest.fixture(scope="session")
def tokenizer():
    tokens = ["<s>", "<pad>", "</s>", "<unk>", *sorted(ByteLevel.alphabet()), "<mask>"]
    return byte_level_bpe({token: id_ for id_, token in enumerate(tokens)}, [])


@pytest.fixture(scope="session")
def model_folder(tokenizer, tmp_path_factory):
    """Save a tiny random model of a head, whose answers differ from text to text."""

    @functools.cache
    def save(kind, labels=()):
        config = ModelConfig(
            family="roberta",
            vocabulary=tokenizer.vocabulary,
            layers=2,
            width=32,
            heads=2,
            feed_forward=64,
            max_length=LENGTH,
            types=1,
            norm_eps=1e-5,
            pad_id=1,
        )
        model = build(kind, config, labels)
        initialise(model, 0)
        for parameter in model.parameters():
            parameter.data *= 4
        folder = tmp_path_factory.mktemp(kind.__name__)
        weights.save(model, folder)
        tokenizer.save(folder, model_max_length=LENGTH)
        return folder

    return save
