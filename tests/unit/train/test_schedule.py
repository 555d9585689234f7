import pytest
import transformers
from torch.optim import SGD

from unmask.train.schedule import warmup_linear


def test_the_schedule_equals_the_one_of_transformers_shifted_by_one_update():
    """Transformers' first update of a warm-up has rate 0; fairseq's, and ours, has 1/warmup."""
    import torch

    optimizer = SGD([torch.nn.Parameter(torch.zeros(1))], lr=1.0)
    theirs = transformers.get_linear_schedule_with_warmup(optimizer, 10, 100)
    for step in range(9):
        optimizer.step()
        theirs.step()
        assert warmup_linear(step, warmup=10, total=100) == pytest.approx(theirs.get_last_lr()[0])
    for step in range(10, 100):
        optimizer.step()
        theirs.step()
        assert warmup_linear(step, warmup=10, total=100) == pytest.approx(theirs.get_last_lr()[0])


def test_the_rate_peaks_after_the_warmup_and_ends_at_zero():
    factors = [warmup_linear(step, warmup=4, total=20) for step in range(21)]

    assert factors[:5] == [0.25, 0.5, 0.75, 1.0, 1.0]
    assert factors[20] == 0
    assert factors[4:] == sorted(factors[4:], reverse=True)


def test_no_warmup_starts_at_the_peak():
    assert warmup_linear(0, warmup=0, total=10) == 1.0
