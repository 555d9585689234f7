import pytest

from unmask.model.config import ModelConfig
from unmask.model.flops import training_flops

SIZES = {"medium": (8, 512, 8), "base": (12, 768, 12), "large": (24, 1024, 16)}


def config(size):
    layers, width, heads = SIZES[size]
    return ModelConfig(
        family="roberta",
        vocabulary=50_265,
        layers=layers,
        width=width,
        heads=heads,
        feed_forward=4 * width,
        types=1,
        norm_eps=1e-5,
        pad_id=1,
    )


@pytest.mark.parametrize(
    ("size", "length", "millions"),
    [
        # Worked out by hand from the formula, for masked shares of 15 %, 30 % and 100 %.
        ("medium", 128, (180.7, 204.1, 313.3)),
        ("medium", 256, (187.0, 210.4, 319.6)),
        ("medium", 512, (199.6, 223.0, 332.1)),
        ("base", 128, (559.0, 594.3, 758.9)),
        ("base", 256, (573.2, 608.5, 773.1)),
        ("base", 512, (601.5, 636.8, 801.4)),
        ("large", 128, (1897, 1944, 2165)),
        ("large", 256, (1935, 1982, 2203)),
        ("large", 512, (2010, 2058, 2278)),
    ],
)
def test_training_on_a_token_costs_what_the_formula_says(size, length, millions):
    found = [
        training_flops(config(size), length=length, masked_share=share) / 1e6
        for share in (0.15, 0.3, 1.0)
    ]

    assert found == pytest.approx(millions, rel=5e-4)


def test_without_head_and_attention_it_is_six_operations_a_weight_of_the_blocks():
    base = config("base")
    weights = 12 * (4 * 768**2 + 2 * 768 * 3072)

    assert training_flops(base, length=0, masked_share=0) == 6 * weights
