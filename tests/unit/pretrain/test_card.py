import dataclasses

import pytest

from unmask.model.heads import MaskedLM, Pretraining
from unmask.pretrain.card import model_card, publishable
from unmask.pretrain.evaluate import HeldOut

from .conftest import FakePlan, lengths, trainer

SCORES = HeldOut(loss=2.0, perplexity=7.4, accuracy=0.5, masked_tokens=1234)


def card(blocks, plan, family="bert", scores=SCORES):
    one = trainer(blocks, family=family, plan=plan, length=32)
    return model_card(one, publishable(one.model), scores)


def test_a_card_says_how_the_model_was_made_and_what_it_scored():
    text = card(FakePlan(lengths()), plan="full-sentences")

    assert "pretrained by masked-language modelling with" in text
    assert "| blocks a step | 12 of up to 32 tokens, input format full-sentences |" in text
    assert "| peak learning rate | 0.01, 0 steps of warm-up, then linear to the end |" in text
    assert "masked accuracy 50.0% (1,234 masked tokens)." in text
    assert "AutoModelForMaskedLM.from_pretrained" in text
    assert "next-sentence" not in text


def test_a_step_of_short_blocks_is_told_by_its_own_count():
    text = card(FakePlan(lengths(), balanced=True), plan="line")

    assert "| blocks a step | 20 of up to 32 tokens, input format line |" in text


def test_next_sentence_prediction_is_told_and_scored():
    scores = dataclasses.replace(SCORES, nsp_loss=0.25, nsp_accuracy=0.9)

    text = card(FakePlan(lengths(), pairs=True), plan="segment-pair", scores=scores)

    assert "masked-language modelling and next-sentence prediction" in text
    assert "Of pairs: loss 0.250 nats, 90.0% told right." in text
    assert "AutoModelForPreTraining.from_pretrained" in text
    assert "is not in this folder" not in text


def test_the_card_of_a_roberta_says_that_the_sentence_head_is_left_out():
    text = card(FakePlan(lengths(), pairs=True), family="roberta", plan="segment-pair")

    assert "The head of next-sentence prediction is not in this folder" in text
    assert "AutoModelForMaskedLM.from_pretrained" in text


def test_without_held_out_blocks_nothing_is_claimed():
    assert "nothing was measured" in card(FakePlan(lengths()), plan="line", scores=None)


@pytest.mark.parametrize(
    ("family", "pairs", "kind"),
    [
        ("bert", False, MaskedLM),
        ("bert", True, Pretraining),
        ("roberta", False, MaskedLM),
        ("roberta", True, MaskedLM),
    ],
)
def test_what_is_published_is_a_class_of_transformers(family, pairs, kind):
    model = trainer(FakePlan(lengths(), pairs=pairs), family=family).model

    assert type(publishable(model)) is kind
