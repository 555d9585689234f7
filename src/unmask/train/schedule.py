"""The learning rate and the batch as pure functions of the step."""

import math

from unmask.train.config import ScheduleConfig

WARMUP_SHARE = 0.06
"""Share of the steps of a warm-up that nobody set (RoBERTa, table 9, rounded)."""


def rate(step: int, *, warmup: int, total: int, config: ScheduleConfig) -> float:
    """The factor on the peak learning rate for update `step`, counted from 0.

    Update n of the warm-up has (n + 1) / warmup; then it falls so that the update after the last
    one would have `final_share` (fairseq: polynomial_decay with power 1, whose end is 0; Hu et al.
    2024, MiniCPM, section 4 for the stable one).
    """
    if step < warmup:
        return (step + 1) / warmup
    done = min(1.0, (step - warmup) / max(1, total - warmup))
    falling = max(1, round(config.decay_share * total))
    height = {
        "linear": 1 - done,
        "cosine": (1 + math.cos(math.pi * done)) / 2,
        "stable": min(1.0, max(0.0, (total - step) / falling)),
    }[config.shape]
    return config.final_share + (1 - config.final_share) * height


def warmup_linear(step: int, *, warmup: int, total: int) -> float:
    """The factor of a warm-up and a line that falls to 0 at `total`."""
    return rate(step, warmup=warmup, total=total, config=ScheduleConfig())


def growing(step: int, *, first: int, last: int, over: int) -> int:
    """The batch of update `step`: from `first` to `last` blocks along a line over some updates."""
    if step >= over:
        return last
    return first + (last - first) * step // over
