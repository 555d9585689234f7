"""Refusals of the fairseq reader; the numbers are held against transformers."""

import dataclasses

import pytest
import torch

from unmask.core.errors import UserError
from unmask.model import fairseq, tensors
from unmask.model.heads import MaskedLM
from unmask.model.presets import ROBERTA

CONFIG = dataclasses.replace(
    ROBERTA["tiny"], vocabulary=40, layers=1, width=16, heads=2, feed_forward=24, max_length=10
)


@pytest.fixture
def state():
    model = MaskedLM(CONFIG)
    state = tensors.split(model.state_dict(), tensors.names(model, fairseq.MODULES))
    del state["encoder.sentence_encoder.segment_embeddings.weight"]
    return state


@pytest.fixture
def write(tmp_path):
    def write(state, **rest):
        torch.save({"model": state, **rest}, tmp_path / "model.pt")
        return tmp_path / "model.pt"

    return write


def refusal(path):
    with pytest.raises(UserError) as caught:
        fairseq.read(path)
    return caught.value.what


def test_sizes_come_from_shapes_and_heads_from_the_settings(state, write):
    settings = {"model": {"_name": "roberta", "encoder_attention_heads": 2}}

    assert fairseq.read(write(state, args=None, cfg=settings)).config == CONFIG


def test_heads_that_nothing_records_are_taken_as_64_wide_and_said(state, write, capsys):
    assert fairseq.read(write(state)).config.heads == 1
    assert "records no number of heads; heads of size 64 are taken" in capsys.readouterr().err


def test_the_missing_row_of_token_types_is_zero(state, write):
    model = fairseq.read(write(state))

    assert model.encoder.embedding.token_type.weight.shape == (1, 16)
    assert (model.encoder.embedding.token_type.weight == 0).all()


def test_tensors_that_do_not_fit_are_named(state, write):
    state["encoder.sentence_encoder.layers.0.fc2.bias"] = torch.zeros(5)
    state["encoder.sentence_encoder.layer_norm.weight"] = torch.zeros(16)

    what = refusal(write(state))

    assert "encoder.sentence_encoder.layers.0.fc2.bias is 5, expected 16" in what
    assert "encoder.sentence_encoder.layer_norm.weight 16 is unexpected" in what


def test_another_activation_is_refused(state, write):
    assert "its activation is relu" in refusal(write(state, args={"activation_fn": "relu"}))


def test_a_model_that_is_no_roberta_is_refused(write):
    assert "embed_tokens.weight is missing" in refusal(write({"conv.weight": torch.ones(2)}))


@pytest.mark.parametrize("content", [{"weights": 1}, [1, 2], {"model": {"a": "text"}}])
def test_a_file_without_a_fairseq_model_is_refused(content, tmp_path):
    torch.save(content, tmp_path / "model.pt")

    assert "holds no fairseq model" in refusal(tmp_path / "model.pt")
