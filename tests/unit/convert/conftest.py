"""A model of every kind that fairseq knows, small, with a tokenizer of its own."""

import dataclasses

import pytest
import torch

from unmask.convert.config import ConvertConfig
from unmask.convert.run import run
from unmask.model import weights
from unmask.model.heads import MaskedLM, MultipleChoice, SequenceClassifier
from unmask.model.presets import ROBERTA
from unmask.tokenizer.build import byte_level_bpe
from unmask.tokenizer.byte_letters import LETTERS

MERGES = [("H", "e"), ("l", "l"), ("He", "ll"), ("Ġ", "w"), ("ll", "o")]


def tokenizer(*, mask_at=None, fillers=0, merges=MERGES):
    """Ids in another order than GPT-2's; `<mask>` last unless it is told where."""
    made_up = [f"madeupword{number:04d}" for number in range(fillers)]
    tokens = ["<s>", "<pad>", "</s>", "<unk>", *reversed(LETTERS)]
    tokens += [left + right for left, right in reversed(merges)] + made_up
    tokens.insert(len(tokens) if mask_at is None else mask_at, "<mask>")
    return byte_level_bpe({token: id_ for id_, token in enumerate(tokens)}, merges)


@pytest.fixture
def small():
    """The sizes, with a row of the embedding for each id."""
    return dataclasses.replace(
        ROBERTA["tiny"],
        vocabulary=tokenizer().vocabulary,
        layers=2,
        width=16,
        heads=4,
        feed_forward=24,
        max_length=12,
    )


@pytest.fixture
def made(small):
    """A model of each kind."""
    models = {
        "lm": MaskedLM(small),
        "two": SequenceClassifier(small, ("no", "yes")),
        "three": SequenceClassifier(small, ("contradiction", "a neutral one", "entailment")),
        "score": SequenceClassifier(small, ("score",)),
        "choice": MultipleChoice(small),
    }
    for model in models.values():
        drawn(model)
    return models


def drawn(model):
    """Draw every weight; the row of token types stays at zero, as fairseq knows none."""
    for parameter in model.parameters():
        torch.nn.init.normal_(parameter, std=0.1)
    torch.nn.init.zeros_(model.encoder.embedding.token_type.weight)
    return model.eval()


@pytest.fixture
def folder(tmp_path):
    """Write a model folder."""

    def write(model, name="model", **options):
        weights.save(model, tmp_path / name)
        tokenizer(**options).save(tmp_path / name)
        return tmp_path / name

    return write


@pytest.fixture
def convert(tmp_path):
    """Convert into a folder of this name."""

    def call(model, name, **options):
        run(ConvertConfig(model=model, out=tmp_path / name, **options))
        return tmp_path / name

    return call


@pytest.fixture
def make_tokenizer():
    return tokenizer
