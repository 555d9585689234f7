from pathlib import Path

import pytest

from unmask.core.errors import UserError
from unmask.pretrain.config import PretrainConfig


@pytest.mark.parametrize(
    ("flags", "said"),
    [
        ({"steps": 0}, "--steps 0: too small"),
        ({"valid_blocks": 0}, "--valid-blocks 0: too small"),
        ({"length": 7}, "--length 7: must be at least 8"),
        ({"steps": 10, "warmup_steps": 11}, "--warmup-steps 11: must be from 0 to --steps (10)"),
        ({"batch": 10, "micro_batch": 4}, "--batch 10 is no multiple of --micro-batch 4"),
    ],
)
def test_settings_that_do_not_fit_together_are_refused(flags, said):
    with pytest.raises(UserError) as caught:
        PretrainConfig(tokens=Path("t"), out=Path("o"), **({"warmup_steps": 0} | flags))

    assert said in caught.value.what


def test_plan_and_length_are_left_to_the_tokens_folder():
    config = PretrainConfig(tokens=Path("t"), out=Path("o"))

    assert config.plan is None
    assert config.length is None
