"""The published sizes, counted three ways: by formula, by building, and as published."""

import pytest
import torch

from unmask.model.heads import MaskedLM
from unmask.model.presets import BERT, ROBERTA

PARAMETERS = {
    "tiny": (6_963_673, 4_416_698),
    "mini": (16_275_801, 11_201_594),
    "small": (38_923_865, 28_795_194),
    "medium": (51_533_401, 41_404_730),
    "base": (124_697_433, 109_514_298),
    "large": (355_412_057, 335_174_458),
}


@pytest.mark.parametrize("size", PARAMETERS)
def test_formula_and_built_model_have_the_published_number_of_parameters(size):
    for config, expected in zip((ROBERTA[size], BERT[size]), PARAMETERS[size], strict=True):
        with torch.device("meta"):
            model = MaskedLM(config)

        assert config.parameters() == expected
        assert sum(parameter.numel() for parameter in model.parameters()) == expected


def test_heads_are_64_wide_at_every_size():
    assert {config.head_size for config in (*ROBERTA.values(), *BERT.values())} == {64}
