from itertools import pairwise

import pytest
import torch
import transformers
from torch.optim import SGD

from unmask.core.errors import UserError
from unmask.train.config import ScheduleConfig
from unmask.train.schedule import growing, rate, warmup_linear

WARMUP, TOTAL = 10, 100


def of_transformers(made, steps):
    """Its factor after each of some updates, which is that of the update to come."""
    optimizer = SGD([torch.nn.Parameter(torch.zeros(1))], lr=1.0)
    schedule = made(optimizer)
    found = []
    for _ in range(steps):
        optimizer.step()
        schedule.step()
        found.append(schedule.get_last_lr()[0])
    return found


def ours(steps, **flags):
    config = ScheduleConfig(**flags)
    return [rate(step, warmup=WARMUP, total=TOTAL, config=config) for step in range(steps)]


def linear(optimizer):
    return transformers.get_linear_schedule_with_warmup(optimizer, WARMUP, TOTAL)


def cosine(optimizer):
    return transformers.get_cosine_schedule_with_warmup(optimizer, WARMUP, TOTAL)


def stable(optimizer, floor=0.0):
    return transformers.get_wsd_schedule(
        optimizer, WARMUP, 20, num_training_steps=TOTAL, decay_type="linear", min_lr_ratio=floor
    )


@pytest.mark.parametrize(
    ("made", "flags"),
    [
        (linear, {"shape": "linear"}),
        (cosine, {"shape": "cosine"}),
        (stable, {"shape": "stable", "decay_share": 0.2}),
    ],
    ids=["linear", "cosine", "stable"],
)
def test_the_schedule_equals_the_one_of_transformers_shifted_by_one_update(made, flags):
    """Transformers' first update of a warm-up has rate 0; fairseq's, and ours, has 1/warmup.

    So ours is a step ahead in the warm-up; then both are the same function of the step.
    """
    theirs = of_transformers(made, TOTAL)
    factors = ours(TOTAL + 1, **flags)

    assert factors[: WARMUP - 1] == pytest.approx(theirs[: WARMUP - 1])
    assert factors[WARMUP + 1 :] == pytest.approx(theirs[WARMUP:])
    assert factors[WARMUP - 1] == factors[WARMUP] == 1.0


def test_a_stable_rate_falls_to_the_floor_that_transformers_has():
    """Its floor lifts the warm-up, too; ours starts from zero all the same."""
    theirs = of_transformers(lambda optimizer: stable(optimizer, floor=0.25), TOTAL)
    factors = ours(TOTAL + 1, shape="stable", decay_share=0.2, final_share=0.25)

    assert factors[WARMUP + 1 :] == pytest.approx(theirs[WARMUP:])
    assert factors[0] == pytest.approx(0.1)


def test_the_rate_peaks_after_the_warmup_and_ends_at_zero():
    factors = [warmup_linear(step, warmup=4, total=20) for step in range(21)]

    assert factors[:5] == [0.25, 0.5, 0.75, 1.0, 1.0]
    assert factors[20] == 0
    assert factors[4:] == sorted(factors[4:], reverse=True)


def test_no_warmup_starts_at_the_peak():
    assert warmup_linear(0, warmup=0, total=10) == 1.0


@pytest.mark.parametrize("shape", ["linear", "cosine", "stable"])
def test_a_share_of_the_peak_is_left_at_the_end(shape):
    factors = ours(TOTAL + 20, shape=shape, final_share=0.1)

    assert factors[TOTAL:] == pytest.approx([0.1] * 20)
    assert min(factors[WARMUP:]) == pytest.approx(0.1)
    assert max(factors) == 1.0


def test_a_stable_rate_falls_over_the_last_part_alone():
    factors = ours(TOTAL, shape="stable", decay_share=0.3)

    assert factors[WARMUP:71] == [1.0] * 61
    assert factors[71] < 1
    assert ours(TOTAL, shape="stable", decay_share=0.0)[WARMUP:] == [1.0] * 90


def test_a_batch_grows_along_a_line_and_stays():
    blocks = [growing(step, first=4, last=16, over=6) for step in range(8)]

    assert blocks == [4, 6, 8, 10, 12, 14, 16, 16]
    assert [growing(step, first=8, last=8, over=3) for step in range(5)] == [8] * 5
    assert growing(0, first=3, last=16, over=0) == 16


def test_a_batch_never_shrinks_and_never_passes_its_end():
    blocks = [growing(step, first=3, last=1000, over=777) for step in range(900)]

    assert blocks == sorted(blocks)
    assert (blocks[0], blocks[-1]) == (3, 1000)
    assert max(after - before for before, after in pairwise(blocks)) <= 2


@pytest.mark.parametrize(
    ("flags", "said"),
    [
        ({"decay_share": 1.1}, "--schedule.decay-share 1.1: must be from 0 to 1"),
        ({"final_share": -0.1}, "--schedule.final-share -0.1: must be from 0 to 1"),
    ],
)
def test_settings_that_cannot_work_are_refused(flags, said):
    with pytest.raises(UserError) as caught:
        ScheduleConfig(**flags)

    assert (caught.value.what, caught.value.hint) == (said, "try 0.1")
