"""Model folders of both families with real vocabularies, and what `unmask predict` answers."""

import contextlib
import functools
import io
import json

import pytest
import torch

from unmask.infer.config import PredictConfig
from unmask.infer.run import run
from unmask.model import weights
from unmask.model.config import ModelConfig
from unmask.model.heads import build
from unmask.model.init import initialise
from unmask.tokenizer import imports

VOCABULARIES = {
    "roberta": ("bpe/roberta", None),
    "bert": ("wordpiece/bert-base-uncased", True),
    "chinese": ("wordpiece/bert-base-chinese", True),
}
LENGTH = 384


@pytest.fixture(scope="session")
def real_tokenizer(shared_data):
    """The published vocabulary of a family, as a tokenizer."""

    @functools.cache
    def read(name):
        folder, lowercase = VOCABULARIES[name]
        return imports.read(imports.find(shared_data / folder), lowercase=lowercase)

    return read


@pytest.fixture(scope="session")
def model_folder(real_tokenizer, tmp_path_factory):
    """Save a tiny random model of a head, whose answers differ from text to text."""

    @functools.cache
    def save(name, kind, labels=(), problem=None):
        tokenizer = real_tokenizer(name)
        roberta = name == "roberta"
        config = ModelConfig(
            family="roberta" if roberta else "bert",
            vocabulary=tokenizer.vocabulary,
            layers=2,
            width=32,
            heads=4,
            feed_forward=48,
            max_length=LENGTH,
            types=1 if roberta else 2,
            norm_eps=1e-5 if roberta else 1e-12,
            pad_id=tokenizer.pad_id,
            bos_id=tokenizer.bos_id,
            eos_id=tokenizer.eos_id,
        )
        model = build(kind, config, labels, problem)
        initialise(model, 0)
        generator = torch.Generator().manual_seed(1)
        with torch.no_grad():
            for parameter in model.parameters():
                parameter += 0.3 * torch.randn(parameter.shape, generator=generator)
        folder = tmp_path_factory.mktemp(f"{name}-{kind.__name__}")
        weights.save(model.eval(), folder)
        tokenizer.save(folder, model_max_length=LENGTH)
        return folder

    return save


@pytest.fixture(scope="session")
def predicted():
    """The answers of `unmask predict`, read back from its lines."""

    def answers(model, **settings):
        with contextlib.redirect_stdout(io.StringIO()) as out:
            run(PredictConfig(model=model, **settings))
        return [json.loads(line) for line in out.getvalue().splitlines()]

    return answers
