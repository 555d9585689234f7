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
        ({"keep_checkpoints": 0}, "--keep-checkpoints 0: too small"),
        (
            {"steps": 10, "budget_hours": 2},
            "--steps 10 and --budget-hours 2: both say when to stop",
        ),
        ({"budget_hours": 0.0}, "--budget-hours 0: must be positive"),
        ({"warmup_steps": -1}, "--warmup-steps -1: must be from 0 to --steps (100000)"),
        ({"warmup_steps": 100_001}, "--warmup-steps 100001: must be from 0 to --steps (100000)"),
        ({"batch_start": 16}, "--batch-start 16 and --batch-warmup-steps 0: one needs the other"),
        (
            {"batch_warmup_steps": 5},
            "--batch-start None and --batch-warmup-steps 5: one needs the other",
        ),
        (
            {"batch_start": 300, "batch_warmup_steps": 5},
            "--batch-start 300 and --batch-warmup-steps 5: the batch grows from 1 or more blocks",
        ),
        (
            {"batch_start": 0, "batch_warmup_steps": 5},
            "--batch-start 0 and --batch-warmup-steps 5: the batch grows from 1 or more blocks",
        ),
        (
            {"batch_start": 8, "batch_warmup_steps": -5},
            "--batch-start 8 and --batch-warmup-steps -5: the batch grows from 1 or more blocks",
        ),
    ],
)
def test_settings_that_do_not_fit_together_are_refused(flags, said):
    with pytest.raises(UserError) as caught:
        PretrainConfig(tokens=Path("t"), out=Path("o"), **({"warmup_steps": 0} | flags))

    assert said in caught.value.what
    assert caught.value.hint


def test_a_run_with_a_deadline_may_warm_up_for_any_number_of_steps():
    config = PretrainConfig(
        tokens=Path("t"), out=Path("o"), budget_hours=1.0, warmup_steps=1_000_000
    )

    assert config.steps is None


def test_plan_and_length_are_left_to_the_tokens_folder():
    config = PretrainConfig(tokens=Path("t"), out=Path("o"))

    assert config.plan is None
    assert config.length is None
