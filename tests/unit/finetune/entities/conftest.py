"""Small tokenizers of both families."""

import functools

import pytest

from unmask.tokenizer.build import word_piece
from unmask.tokenizer.train import train

SENTENCES = [
    "The European Union rejects the German call to boycott British lamb.",
    "Peter Blackburn lives in Berlin, and the Berlin of Peter is the German Berlin.",
    "我在北京和上海，北京人民日报 1998",
]
PIECES = [
    *("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"),
    *("the", "peter", "black", "##burn", "lives", "in", "ber", "##lin", "and", "of", "is", "call"),
    *("european", "union", "reject", "##s", "german", "##y", "1998"),
    *"abcdefghijklmnopqrstuvwxyz.,;!'\"-0123456789我在北京上海人民日报和",
    *(f"##{letter}" for letter in "abcdefghijklmnopqrstuvwxyz0123456789"),
]


@functools.cache
def tokenizer_of(family):
    if family == "roberta":
        return train(SENTENCES * 3, 330)
    vocabulary = {token: id_ for id_, token in enumerate(dict.fromkeys(PIECES))}
    return word_piece(vocabulary, lowercase=True)


@pytest.fixture(params=["roberta", "bert"])
def tokenizer(request):
    return tokenizer_of(request.param)


@pytest.fixture
def byte_level():
    return tokenizer_of("roberta")


@pytest.fixture
def pieces():
    return tokenizer_of("bert")


@pytest.fixture
def said(monkeypatch):
    """Lines that were said."""
    from unmask.finetune.entities import read, windows

    lines = []
    for module in (read, windows):
        monkeypatch.setattr(module, "say", lines.append)
    return lines
