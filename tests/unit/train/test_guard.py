import json
import math
import statistics

import pytest
import torch

from unmask.core.errors import UserError
from unmask.train.config import GuardConfig
from unmask.train.guard import MEMORY, SEEN_ENOUGH, Guard

CPU = torch.device("cpu")
NAN, INF = math.nan, math.inf


def guard(**flags):
    return Guard(GuardConfig(**flags), CPU)


def left_out(judge, loss, norm=1.0):
    answer = judge.judge(torch.tensor(loss), torch.tensor(norm))
    assert answer.dtype == torch.float32
    assert answer.shape == ()
    return bool(answer)


def seen(count, **flags):
    """A guard that has seen some losses around 3."""
    judge = guard(**flags)
    torch.manual_seed(7)
    losses = (3 + 0.1 * torch.randn(count, dtype=torch.float64)).tolist()
    for loss in losses:
        assert not left_out(judge, loss)
    return judge, losses


@pytest.mark.parametrize(
    ("loss", "norm"), [(NAN, 1.0), (INF, 1.0), (-INF, 1.0), (2.0, NAN), (2.0, INF), (NAN, NAN)]
)
@pytest.mark.parametrize("spike", [None, 8.0])
def test_a_loss_or_a_gradient_that_is_no_number_is_left_out_from_the_first_step_on(
    loss, norm, spike
):
    judge = guard(spike=spike)

    assert left_out(judge, loss, norm)
    assert not left_out(judge, 2.0)
    assert left_out(judge, loss, norm)


def test_a_loss_far_above_the_mean_is_left_out_and_one_below_is_not():
    judge, losses = seen(SEEN_ENOUGH, spike=8.0)
    mean, deviation = statistics.fmean(losses), statistics.pstdev(losses)

    assert left_out(judge, mean + 8.01 * deviation)
    assert left_out(judge, 1e30)
    assert not left_out(judge, -1e30)
    judge, _ = seen(SEEN_ENOUGH, spike=8.0)
    assert not left_out(judge, mean + 7.99 * deviation)


def test_no_spike_is_told_before_enough_was_seen():
    early, _ = seen(SEEN_ENOUGH - 1)
    late, _ = seen(SEEN_ENOUGH)

    assert not left_out(early, 1e6)
    assert left_out(late, 1e6)


def test_without_a_limit_no_finite_loss_is_a_spike():
    judge, _ = seen(SEEN_ENOUGH, spike=None)

    assert not left_out(judge, 1e30)


def test_mean_and_variance_are_plain_ones_at_first_and_running_ones_later():
    judge, losses = seen(60)
    state = judge.state()
    assert state["mean"] == pytest.approx(statistics.fmean(losses))
    assert state["variance"] == pytest.approx(statistics.pvariance(losses))
    assert state["taken"] == 60

    judge, losses = seen(400)
    mean = statistics.fmean(losses[:100])
    variance = statistics.pvariance(losses[:100])
    for loss in losses[100:]:
        distance = loss - mean
        mean += (1 - MEMORY) * distance
        variance = MEMORY * (variance + (1 - MEMORY) * distance**2)
    assert judge.state()["mean"] == pytest.approx(mean)
    assert judge.state()["variance"] == pytest.approx(variance)


@pytest.mark.parametrize(("loss", "norm"), [(NAN, 1.0), (1e6, 1.0), (3.0, INF)])
def test_what_is_left_out_changes_no_running_number(loss, norm):
    judge, _ = seen(150)
    before = judge.state()

    assert left_out(judge, loss, norm)

    after = judge.state()
    for name in ("mean", "variance", "taken"):
        assert after[name] == before[name]


def test_a_report_counts_since_the_last_one_and_a_row_goes_on_across_it():
    judge = guard()
    for loss in (NAN, NAN, 2.0, NAN, NAN, NAN, 2.0, NAN):
        left_out(judge, loss)

    assert judge.report() == (6, 3)
    assert judge.report() == (0, 0)
    left_out(judge, NAN)
    assert judge.report() == (1, 2)  # the second in a row; the first was told of before
    left_out(judge, 2.0)
    assert judge.report() == (0, 0)


def test_the_state_survives_json_to_the_bit():
    judge, _ = seen(130)
    for loss in (NAN, 3.0, NAN, NAN):
        left_out(judge, loss)

    other = guard()
    other.restore(json.loads(json.dumps(judge.state())))

    assert other.state() == judge.state()
    for loss in (NAN, 3.1, 2.9, 9.0):
        assert left_out(other, loss) == left_out(judge, loss)
    assert other.state() == judge.state()
    assert other.report() == judge.report() == (5, 3)


@pytest.mark.parametrize(
    ("flags", "said", "hint"),
    [
        ({"spike": 0.0}, "--guard.spike 0.0: must be positive", "try 8, or none"),
        ({"spike": -1.0}, "--guard.spike -1.0: must be positive", "try 8, or none"),
        ({"patience": 0}, "--guard.patience 0: too small", "give 1 or more"),
        ({"rollbacks": 0}, "--guard.rollbacks 0: too small", "give 1 or more"),
    ],
)
def test_settings_that_cannot_work_are_refused(flags, said, hint):
    with pytest.raises(UserError) as caught:
        GuardConfig(**flags)

    assert (caught.value.what, caught.value.hint) == (said, hint)
