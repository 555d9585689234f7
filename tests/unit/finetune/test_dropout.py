import dataclasses
from pathlib import Path

import pytest
import torch

from unmask.core.errors import UserError
from unmask.finetune.config import FinetuneConfig
from unmask.finetune.run import _model
from unmask.model import weights
from unmask.model.heads import MaskedLM
from unmask.model.init import initialise
from unmask.model.presets import ROBERTA


@pytest.fixture
def folder(tmp_path):
    config = dataclasses.replace(ROBERTA["tiny"], vocabulary=60, dropout=0.0, attention_dropout=0.0)
    model = MaskedLM(config)
    initialise(model, 0)
    (tmp_path / "model").mkdir()
    weights.save(model, tmp_path / "model")
    return tmp_path / "model"


def classifier(folder, dropout):
    config = FinetuneConfig(data=Path(), model=folder, out=Path("out"), dropout=dropout)
    return _model(config, ("a", "b"))


def test_dropout_is_the_models_own_unless_asked_for(folder):
    own, asked = classifier(folder, None), classifier(folder, 0.3)

    assert own.config.dropout == own.config.attention_dropout == 0.0
    assert asked.config.dropout == asked.config.attention_dropout == 0.3
    assert all(torch.equal(a, b) for a, b in zip(own.parameters(), asked.parameters(), strict=True))


def test_dropout_acts_in_training_and_only_there(folder):
    model = classifier(folder, 0.3)
    ids_BL = torch.arange(4, 20)[None]

    assert not torch.equal(model.train()(ids_BL), model(ids_BL))
    assert torch.equal(model.eval()(ids_BL), model(ids_BL))


def test_a_dropout_that_drops_everything_is_refused(folder):
    with pytest.raises(UserError, match=r"--dropout 1\.0"):
        classifier(folder, 1.0)
