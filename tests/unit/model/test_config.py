"""The sizes of an encoder and what is refused."""

import dataclasses

import pytest

from unmask.core.errors import UserError
from unmask.model.presets import BERT, ROBERTA


@pytest.mark.parametrize(
    ("change", "what"),
    [
        ({"heads": 3}, "width 128 cannot be shared by 3 heads"),
        ({"layers": 0}, "layers is 0"),
        ({"norm_eps": 0.0}, "norm_eps is 0.0"),
        ({"dropout": 1.0}, "dropout is 1.0"),
        ({"classifier_dropout": -0.1}, "classifier_dropout is -0.1"),
        ({"pad_id": 50265}, "pad_id 50265 is outside the vocabulary of 50265"),
        ({"bos_id": -1}, "bos_id -1 is outside"),
        ({"family": "gpt"}, "family 'gpt' is unknown"),
    ],
)
def test_an_impossible_encoder_is_refused_with_its_value(change, what):
    with pytest.raises(UserError) as caught:
        dataclasses.replace(ROBERTA["tiny"], **change)

    assert what in caught.value.what
    assert caught.value.hint


def test_the_position_table_of_roberta_has_rows_for_padding_too():
    assert ROBERTA["base"].position_rows == 514
    assert BERT["base"].position_rows == 512


def test_classifier_dropout_left_out_is_the_dropout():
    config = dataclasses.replace(BERT["tiny"], dropout=0.2)

    assert config.head_dropout == 0.2
    assert dataclasses.replace(config, classifier_dropout=0.0).head_dropout == 0.0
