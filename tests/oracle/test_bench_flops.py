"""Operations of a forward pass against torch's own counter."""

import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode
from transformers import AutoConfig, AutoModel, AutoModelForMaskedLM

from unmask.bench.work import flops
from unmask.model import weights
from unmask.model.config import ModelConfig
from unmask.model.heads import MaskedLM
from unmask.model.init import initialise

CONFIG = ModelConfig(
    family="roberta",
    vocabulary=1000,
    layers=3,
    width=64,
    heads=4,
    feed_forward=160,
    max_length=128,
    types=1,
    norm_eps=1e-5,
    pad_id=1,
)


@pytest.mark.parametrize("length", [8, 96])
@pytest.mark.parametrize("language_model", [True, False])
def test_operations_are_those_that_torch_counts(length, language_model, tmp_path):
    model = MaskedLM(CONFIG)
    initialise(model, 0)
    weights.save(model, tmp_path)
    config = AutoConfig.from_pretrained(tmp_path)
    kind = AutoModelForMaskedLM if language_model else AutoModel
    settings = {} if language_model else {"add_pooling_layer": False}
    theirs = kind.from_config(config, attn_implementation="eager", **settings).eval()
    ids = torch.randint(5, 1000, (2, length))

    with FlopCounterMode(display=False) as counter, torch.no_grad():
        theirs(ids)

    lengths = torch.full((2,), length).numpy()
    found = flops(lengths, CONFIG, language_model=language_model)
    assert found == pytest.approx(counter.get_total_flops(), rel=1e-6)
