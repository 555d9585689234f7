"""Names both ways, and what is refused."""

import dataclasses
from pathlib import Path

import pytest
import torch

from unmask.core.errors import UserError
from unmask.model import fairseq, huggingface, tensors
from unmask.model.heads import MaskedLM
from unmask.model.presets import ROBERTA

CONFIG = dataclasses.replace(ROBERTA["tiny"], vocabulary=40, width=16, feed_forward=24)


@pytest.fixture
def model():
    return MaskedLM(CONFIG)


def test_there_and_back_gives_every_tensor_again(model):
    for names in (huggingface.names(model), tensors.names(model, fairseq.MODULES)):
        theirs = tensors.split(model.state_dict(), names)
        back = tensors.join(theirs, names)

        assert back.keys() == model.state_dict().keys()
        assert all(torch.equal(back[name], x) for name, x in model.state_dict().items())


def test_query_key_and_value_are_three_tensors_for_others(model):
    theirs = tensors.split(model.state_dict(), huggingface.names(model))

    rows = [f"roberta.encoder.layer.1.attention.self.{x}.bias" for x in ("query", "key", "value")]
    stacked = torch.cat([theirs[name] for name in rows])
    assert torch.equal(stacked, model.encoder.blocks[1].attention.qkv.bias)


def test_everything_wrong_is_named_and_after_three_only_counted():
    expected = {"a": torch.ones(2), "b": torch.ones(2, 3), "c": torch.ones(4)}
    theirs = {"b": torch.ones(3, 2), "c": torch.ones(4, dtype=torch.int8), "d": torch.ones(())}

    with pytest.raises(UserError) as caught:
        tensors.check(theirs, expected, "folder", "mend it")

    assert caught.value.what == (
        "folder: a 2 is missing; b is 3x2, expected 2x3; "
        "c is torch.int8, expected floating point; and 1 more"
    )
    assert caught.value.hint == "mend it"


def test_a_copy_of_a_tied_tensor_is_dropped_or_stands_in_for_it():
    weight = torch.ones(2)
    both, alone = {"copy": weight, "source": weight.clone()}, {"copy": weight}

    for theirs in (both, alone):
        tensors.untie(theirs, {"copy": "source"}, Path("folder"))
        assert theirs.keys() == {"source"}


def test_a_copy_that_differs_from_what_it_is_tied_to_is_refused():
    theirs = {"copy": torch.ones(2), "source": torch.zeros(2)}

    with pytest.raises(UserError, match="copy differs from source, to which it is tied"):
        tensors.untie(theirs, {"copy": "source"}, Path("folder"))
