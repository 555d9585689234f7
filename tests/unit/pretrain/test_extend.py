import dataclasses
import json

import pytest
import torch

from unmask.core.errors import UserError
from unmask.model.config import ModelConfig
from unmask.model.heads import MaskedLM, Pretraining
from unmask.model.init import initialise
from unmask.pretrain.extend import extended, new_tokens
from unmask.tokenizer import pretokens
from unmask.tokenizer.build import word_piece
from unmask.tokenizer.counts import words_of
from unmask.tokenizer.extend import extend
from unmask.tokenizer.family import BERT
from unmask.tokenizer.tokenizer import Tokenizer
from unmask.tokenizer.train import train

OLD = ["the cat sat on the mat", "the other cat sat there"] * 3
NEW = ["the cation and the anion", "an anion is no cation, that is an ion", "été 猫"] * 4


@pytest.fixture(scope="module")
def old():
    return train(OLD, 270)


@pytest.fixture(scope="module")
def new(old):
    return extend(old, words_of(pretokens.count(NEW)), 282)


def model_of(kind, rows=270, family="roberta"):
    config = ModelConfig(
        family=family,
        vocabulary=rows,
        layers=1,
        width=16,
        heads=2,
        feed_forward=24,
        max_length=32,
        types=1,
        norm_eps=1e-5,
        pad_id=1,
        init_std=0.2,
    )
    model = kind(config)
    initialise(model, seed=1)
    (model.lm if kind is Pretraining else model).bias.data.normal_()
    return model.eval()


def rows_of(model):
    lm = model.lm if isinstance(model, Pretraining) else model
    return lm.encoder.embedding.word.weight, lm.bias


@pytest.mark.parametrize("kind", [MaskedLM, Pretraining])
def test_new_tokens_start_as_the_mean_of_their_pieces_and_old_rows_stay(kind, old, new):
    before = model_of(kind)

    after = extended(before, old, new)

    assert type(after) is kind
    assert after.config == dataclasses.replace(before.config, vocabulary=282)
    for theirs, ours in zip(rows_of(before), rows_of(after), strict=True):
        assert torch.equal(ours[:270], theirs)
        for id_ in range(270, 282):
            text = new.decode([id_])
            if "\ufffd" in text:
                continue  # a part of a character, which no text can be cut into
            pieces = old.encode_lines([text])[0]
            torch.testing.assert_close(ours[id_], theirs[pieces].mean(0))


def test_every_other_weight_is_kept_and_all_can_be_trained(old, new):
    before = model_of(Pretraining)
    kept = dict(before.named_parameters())

    after = extended(before, old, new)

    for name, parameter in after.named_parameters():
        assert parameter.requires_grad
        assert parameter.device.type == "cpu"
        if name not in ("lm.encoder.embedding.word.weight", "lm.bias"):
            assert torch.equal(parameter, kept[name]), name


def test_logits_of_old_tokens_on_old_text_stay_as_they_were(old, new):
    before = model_of(MaskedLM)
    ids_BL = torch.tensor([[0, *old.encode_lines(["the mat <sat"])[0], old.mask_id, 2]])

    after = extended(before, old, new)

    with torch.no_grad():
        difference = after(ids_BL)[..., :270] - before(ids_BL)
    assert float(difference.abs().max()) < 1e-6  # a wider product may round otherwise


def test_the_gradient_of_the_padding_row_is_still_left_out(old, new):
    after = extended(model_of(MaskedLM), old, new)

    assert after.encoder.embedding.word.padding_idx == 1


def test_rows_that_only_fill_a_model_up_become_those_of_new_tokens(old, new):
    before = model_of(MaskedLM, rows=288)

    after = extended(before, old, new)

    assert after.config.vocabulary == 288
    weight, expected = rows_of(after)[0], rows_of(before)[0]
    assert torch.equal(weight[:270], expected[:270])
    assert torch.equal(weight[282:], expected[282:])
    assert not torch.equal(weight[270:282], expected[270:282])


def test_the_same_tokenizer_written_otherwise_changes_nothing(old):
    settings = json.loads(old.json)
    settings["truncation"] = {
        "direction": "Right",
        "max_length": 9,
        "strategy": "LongestFirst",
        "stride": 0,
    }
    model = model_of(MaskedLM)

    assert extended(model, old, Tokenizer(json.dumps(settings))) is model


def reordered(tokenizer):
    settings = json.loads(tokenizer.json)
    vocabulary = settings["model"]["vocab"]
    vocabulary["a"], vocabulary["b"] = vocabulary["b"], vocabulary["a"]
    return Tokenizer(json.dumps(settings))


def remerged(tokenizer):
    settings = json.loads(tokenizer.json)
    settings["model"]["merges"].reverse()
    return Tokenizer(json.dumps(settings))


def spaced(tokenizer):
    settings = json.loads(tokenizer.json)
    settings["pre_tokenizer"]["add_prefix_space"] = True
    return Tokenizer(json.dumps(settings))


@pytest.mark.parametrize(
    ("change", "what"),
    [
        (reordered, "another vocabulary: 'a' is id 68 of the model, and 69 there (2 such)"),
        (remerged, "other merges than the model's"),
        (spaced, "a tokenizer that works in another way"),
    ],
)
def test_a_tokenizer_that_is_no_extension_is_refused(change, what, old, new):
    with pytest.raises(UserError) as caught:
        new_tokens(old, change(new))

    assert what in caught.value.what
    assert "unmask tokenizer --extend" in caught.value.hint


def test_an_old_tokenizer_is_no_extension_of_a_new_one(old, new):
    with pytest.raises(UserError, match=r"another vocabulary: .* and None there \(12 such\)"):
        new_tokens(new, old)


def test_more_word_pieces_are_refused():
    one, two = (
        word_piece(
            {token: id_ for id_, token in enumerate([*BERT.specials, *more])}, lowercase=True
        )
        for more in ("a", "ab")
    )

    assert new_tokens(one, one) == []
    with pytest.raises(UserError) as caught:
        new_tokens(one, two)

    assert caught.value.what == "the tokens were made with 1 WordPieces more than the model has"
    assert "a BERT goes on with the tokenizer it has" in caught.value.hint


def test_a_model_with_fewer_rows_than_its_tokenizer_has_ids_is_refused(old, new):
    with pytest.raises(UserError) as caught:
        extended(model_of(MaskedLM, rows=269), old, new)

    assert caught.value.what == "its tokenizer has 270 ids, the model 269 rows"
    assert "of one training" in caught.value.hint
