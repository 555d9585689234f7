"""Shapes and refusals of the heads; their numbers are held against transformers.

B batch, L length, C choices.
"""

import dataclasses

import pytest
import torch

from unmask.core.errors import UserError
from unmask.model import heads
from unmask.model.presets import BERT, ROBERTA

SMALL = {"vocabulary": 40, "layers": 1, "width": 16, "heads": 2, "feed_forward": 24}
CONFIGS = [
    dataclasses.replace(ROBERTA["tiny"], **SMALL),
    dataclasses.replace(BERT["tiny"], **SMALL, bos_id=2, eos_id=3),
]
both_families = pytest.mark.parametrize("config", CONFIGS, ids=["roberta", "bert"])


@both_families
def test_asked_for_positions_the_masked_lm_gives_only_their_logits(config):
    model = heads.MaskedLM(config).double().eval()
    ids_BL = torch.randint(4, 40, (2, 6))
    positions_M = torch.tensor([1, 5, 8])

    logits_MV = model(ids_BL, positions_M=positions_M)

    assert logits_MV.shape == (3, 40)
    expected = model(ids_BL).flatten(0, 1)[positions_M]
    torch.testing.assert_close(logits_MV, expected, rtol=0, atol=1e-12)


@both_families
def test_the_decoder_is_the_word_embedding(config):
    model = heads.MaskedLM(config)

    model(torch.randint(4, 20, (1, 5))).sum().backward()

    # A word that does not occur is still an answer that was weighed.
    assert model.encoder.embedding.word.weight.grad[39].abs().max() > 0


@both_families
def test_every_head_gives_its_shape(config):
    ids_BL = torch.randint(4, 40, (2, 6))
    labels = ("a", "b", "c")

    start_BL, end_BL = heads.SpanExtractor(config)(ids_BL)

    assert heads.SequenceClassifier(config, labels)(ids_BL).shape == (2, 3)
    assert heads.TokenClassifier(config, labels)(ids_BL).shape == (2, 6, 3)
    assert start_BL.shape == end_BL.shape == (2, 6)
    assert heads.MultipleChoice(config)(ids_BL.view(1, 2, 6)).shape == (1, 2)


@both_families
def test_the_pretraining_model_is_a_masked_lm_and_a_head_on_the_first_token(config):
    model = heads.Pretraining(config).double().eval()
    ids_BL = torch.randint(4, 40, (3, 6))
    mask_BL = torch.rand(3, 6) < 0.8
    mask_BL[:, 0] = True
    types_BL = torch.randint(0, config.types, (3, 6))
    positions_M = torch.tensor([1, 5, 8])

    logits_MV, follows_B2 = model(ids_BL, mask_BL, types_BL, positions_M)

    alone_MV = model.lm(ids_BL, mask_BL, types_BL, positions_M)
    torch.testing.assert_close(logits_MV, alone_MV, rtol=0, atol=1e-12)
    first_BD = model.lm.encoder(ids_BL, mask_BL, types_BL)[:, 0]
    expected_B2 = model.next_sentence(first_BD)
    torch.testing.assert_close(follows_B2, expected_B2, rtol=0, atol=1e-12)
    assert follows_B2.shape == (3, 2)


def test_each_choice_is_scored_by_itself():
    model = heads.MultipleChoice(CONFIGS[1]).double().eval()
    ids_BCL = torch.randint(4, 40, (2, 3, 6))
    real_BCL = torch.rand(2, 3, 6) < 0.8
    types_BCL = torch.randint(0, 2, (2, 3, 6))

    scores_BC = model(ids_BCL, real_BCL, types_BCL)
    alone = model(ids_BCL[1:, 2:], real_BCL[1:, 2:], types_BCL[1:, 2:])

    torch.testing.assert_close(scores_BC[1:, 2:], alone, rtol=0, atol=1e-12)


@pytest.mark.parametrize("labels", [(), ("yes", "yes")])
def test_a_classifier_needs_names_that_differ(labels):
    with pytest.raises(UserError, match="a classifier needs at least one, each once"):
        heads.build(heads.SequenceClassifier, CONFIGS[0], labels)


def test_labels_for_a_model_without_labels_are_refused():
    with pytest.raises(UserError, match="a SpanExtractor has no labels, 2 given"):
        heads.build(heads.SpanExtractor, CONFIGS[0], ("yes", "no"))
