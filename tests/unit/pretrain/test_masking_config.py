import pytest

from unmask.core import config as configs
from unmask.core.errors import UserError
from unmask.pretrain.config import PretrainConfig
from unmask.pretrain.masking.config import MaskingConfig


@pytest.mark.parametrize(
    ("flags", "said"),
    [
        ({"probability": 0.0}, "--masking.probability 0.0: must be between 0 and 1"),
        ({"masked": 0.8, "random": 0.3}, "sum to more than 1"),
        ({"random": -0.1}, "must not be negative"),
        ({"copies": 10}, "--masking.copies 10: has no effect with --masking.schedule dynamic"),
        ({"copies": 3, "schedule": "static"}, "no effect with --masking.schedule static"),
        ({"copies": 0, "schedule": "copies"}, "--masking.copies 0: too small"),
        ({"span_length": 3}, "--masking.span-length 3: has no effect with --masking.spans None"),
        (
            {"span_length": 3, "spans": "geometric"},
            "--masking.span-length 3: has no effect with --masking.spans geometric",
        ),
        (
            {"span_spread": 1.0, "span_length": 3, "spans": "fixed"},
            "--masking.span-spread 1.0: has no effect with --masking.spans fixed",
        ),
        (
            {"span_stop": 0.2, "span_length": 3, "spans": "fixed"},
            "--masking.span-stop 0.2: has no effect with --masking.spans fixed",
        ),
        ({"span_longest": 9}, "--masking.span-longest 9: has no effect"),
        ({"spans": "fixed"}, "--masking.spans fixed: --masking.span-length is missing"),
        ({"spans": "normal", "span_length": 3}, "--masking.span-spread is missing"),
        ({"spans": "fixed", "span_length": 1}, "--masking.span-length 1: too small"),
        ({"spans": "geometric", "span_longest": 0}, "--masking.span-longest 0: too small"),
        (
            {"spans": "normal", "span_length": 3, "span_spread": 0.0},
            "--masking.span-spread 0.0: must be above 0",
        ),
        ({"spans": "geometric", "span_stop": 1.0}, "--masking.span-stop 1.0: must be between"),
        (
            {"replacement": "frequency", "random": 0.0},
            "--masking.replacement frequency: has no effect, as --masking.random is 0",
        ),
        (
            {"rule": "fairseq", "count": "bernoulli"},
            "--masking.count bernoulli: fairseq's rule has no such choice",
        ),
        (
            {"rule": "fairseq", "unit": "chinese-word"},
            "--masking.unit chinese-word: fairseq's rule has no such choice",
        ),
        (
            {"rule": "fairseq", "spans": "geometric"},
            "--masking.spans geometric: fairseq's rule has no such choice",
        ),
    ],
)
def test_settings_that_make_no_sense_or_no_difference_are_refused(flags, said):
    with pytest.raises(UserError) as refused:
        MaskingConfig(**flags)

    assert said in refused.value.what
    assert refused.value.hint


def test_every_choice_is_a_flag():
    words = [
        *("--tokens", "t", "--out", "o"),
        *("--masking.schedule", "copies", "--masking.copies", "4"),
        *("--masking.unit", "chinese-word", "--masking.count", "bernoulli"),
        *("--masking.spans", "normal", "--masking.span-length", "3"),
        *("--masking.span-spread", "1.5", "--masking.replacement", "frequency"),
    ]

    config = configs.parse(PretrainConfig, words, prog="pretrain").masking

    assert config == MaskingConfig(
        schedule="copies",
        copies=4,
        unit="chinese-word",
        count="bernoulli",
        spans="normal",
        span_length=3,
        span_spread=1.5,
        replacement="frequency",
    )
