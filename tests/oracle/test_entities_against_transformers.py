"""Entities of raw text against transformers' token classification pipeline."""

import random
import warnings

import numpy as np
import pytest
import torch

from unmask.finetune.entities import spans, split, windows
from unmask.finetune.entities.words import Words
from unmask.model import weights
from unmask.model.config import ModelConfig
from unmask.model.heads import TokenClassifier
from unmask.model.init import initialise
from unmask.tokenizer.build import word_piece
from unmask.tokenizer.train import train

transformers = pytest.importorskip("transformers")

NAMES = ("O", "B-LOC", "I-LOC", "B-PER", "I-PER")
SIMPLE = ["paris", "Peter", "of", "a", "LONDON", "Zürich", "naïve", "x", "Berlin", "émigré"]
LONGER = ["Berlins", "LONDONofx", "naïveü", "ofparis", "émigrés", "xxx"]
PIECES = [
    *("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "paris", "peter", "of", "lon", "##don"),
    *"abcdefghijklmnopqrstuvwxyz",
    *(f"##{letter}" for letter in "abcdefghijklmnopqrstuvwxyz"),
]


@pytest.fixture(autouse=True)
def _no_progress_bars():
    transformers.utils.logging.disable_progress_bar()


def tokenizer_of(family):
    if family == "roberta":
        # transformers takes a Ġ alone for a word, and the second byte of a character after a space
        return train([" ".join([*SIMPLE, *SIMPLE])] * 3, 304)
    return word_piece({piece: id_ for id_, piece in enumerate(PIECES)}, lowercase=True)


@pytest.fixture(params=["roberta", "bert"])
def made(request, tmp_path):
    """A tokenizer, a tiny model whose answers differ, and transformers' pipelines of both."""
    family, tokenizer = request.param, tokenizer_of(request.param)
    config = ModelConfig(
        family=family,
        vocabulary=tokenizer.vocabulary,
        layers=1,
        width=16,
        heads=2,
        feed_forward=16,
        max_length=128,
        types=1 if family == "roberta" else 2,
        norm_eps=1e-5,
        pad_id=tokenizer.pad_id,
        bos_id=tokenizer.bos_id,
        eos_id=tokenizer.eos_id,
    )
    model = TokenClassifier(config, NAMES)
    initialise(model, 0)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter += 0.5 * torch.randn(parameter.shape)
    weights.save(model.eval(), tmp_path)
    tokenizer.save(tmp_path, model_max_length=128)
    return tokenizer, model, tmp_path


def ours(tokenizer, model, texts):
    found = windows.cut(Words.found(texts, split.words), tokenizer, 128)
    rows = []
    for start, stop in zip(found.sequences.starts_N1, found.sequences.starts_N1[1:], strict=False):
        ids = torch.from_numpy(found.sequences.ids_T[start:stop].astype(np.int64))
        with torch.no_grad():
            rows.append(model(ids[None])[0].numpy())
    return spans.entities(spans.tag(found, np.concatenate(rows), NAMES))


def theirs(folder, strategy, texts):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        pipeline = transformers.pipeline(
            "token-classification", str(folder), aggregation_strategy=strategy, device="cpu"
        )
        return [pipeline(text) for text in texts]


def assert_same(found, expected, texts):
    for text, entities, answers in zip(texts, found, expected, strict=True):
        assert [(e.type, e.begin, e.end) for e in entities] == [
            (answer["entity_group"], answer["start"], answer["end"]) for answer in answers
        ], text
        np.testing.assert_allclose(
            [e.score for e in entities], [answer["score"] for answer in answers], atol=1e-5
        )


def drawn(vocabulary, seed):
    rng = random.Random(seed)
    return [" ".join(rng.choices(vocabulary, k=rng.randint(1, 12))) for _ in range(120)]


def test_entities_are_those_of_the_pipeline_by_first_tokens(made):
    tokenizer, model, folder = made
    texts = drawn(SIMPLE + LONGER, 0)

    found = ours(tokenizer, model, texts)

    assert_same(found, theirs(folder, "first", texts), texts)
    assert len({entity.type for entities in found for entity in entities}) == 2
    assert any(" " in entity.text for entities in found for entity in entities)


def test_entities_are_those_of_the_simple_pipeline_where_a_word_is_one_token(made):
    tokenizer, model, folder = made
    texts = drawn(["paris", "of", "a", "x", "a", "of"], 1)
    whole = [text for text in texts if len(tokenizer.encode([text])[0]) == 3 + text.count(" ")]

    assert len(whole) > 10
    assert_same(ours(tokenizer, model, whole), theirs(folder, "simple", whole), whole)
