"""Tiny random masked language models of both families, with tokenizers of their own."""

import dataclasses

import pytest
import torch

from unmask.infer.features.states import Extractor
from unmask.infer.language.model import LanguageModel
from unmask.model.config import ModelConfig
from unmask.model.heads import MaskedLM
from unmask.model.init import initialise
from unmask.tokenizer.build import word_piece
from unmask.tokenizer.train import train

SENTENCES = [
    "The trophy does not fit into the brown case because it is too big.",
    "the cat and the dog sat on the mat, and the cat ate the fish",
    "Paris is the capital of France; London is not.",
    "我爱北京天安门 and 中文字符",
    "a dog, a fish, a cat and a mat",
]
PIECES = [
    *("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"),
    *("the", "cat", "dog", "sat", "on", "mat", "and", "ate", "fish", "is", "too", "big", "it"),
    *("case", "trophy", "does", "not", "fit", "into", "brown", "because", "paris", "london"),
    *("capital", "of", "france", "walk", "##ing", "##s", "##ed", "un", "don", "t"),
    *"abcde.,;!'\"-我爱北京天安门中文字符",
    *("##a", "##b", "##c", "##d", "##e"),
]


def tokenizer_of(family):
    if family == "roberta":
        return train(SENTENCES * 3, 320)
    return word_piece({token: id_ for id_, token in enumerate(PIECES)}, lowercase=True)


def model_of(family, tokenizer, max_length=48):
    roberta = family == "roberta"
    config = ModelConfig(
        family=family,
        vocabulary=tokenizer.vocabulary + 3,  # rows that no token has
        layers=3,
        width=32,
        heads=4,
        feed_forward=48,
        max_length=max_length,
        types=1 if roberta else 2,
        norm_eps=1e-5 if roberta else 1e-12,
        pad_id=tokenizer.pad_id,
        bos_id=tokenizer.bos_id,
        eos_id=tokenizer.eos_id,
    )
    model = MaskedLM(config)
    initialise(model, 0)
    generator = torch.Generator().manual_seed(1)
    with torch.no_grad():
        for parameter in model.parameters():  # larger than at the start, so that errors show
            parameter += 0.15 * torch.randn(parameter.shape, generator=generator)
    return model


@dataclasses.dataclass
class Tiny:
    family: str
    model: MaskedLM
    lm: LanguageModel
    extractor: Extractor

    @property
    def mask(self):
        return self.lm.tokenizer.mask_token

    @property
    def tokenizer(self):
        return self.lm.tokenizer


@pytest.fixture(scope="session", params=["roberta", "bert"])
def tiny(request):
    tokenizer = tokenizer_of(request.param)
    model = model_of(request.param, tokenizer)
    return Tiny(
        request.param, model, LanguageModel(model, tokenizer), Extractor(model.encoder, tokenizer)
    )
