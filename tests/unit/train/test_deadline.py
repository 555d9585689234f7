import json

import pytest

from unmask.train import deadline as module
from unmask.train.config import ScheduleConfig
from unmask.train.deadline import Deadline
from unmask.train.schedule import rate

HOUR = 3600.0


class Time:
    """A clock that goes on when it is told to."""

    def __init__(self):
        self.now = 5000.0

    def monotonic(self):
        return self.now


@pytest.fixture
def clock(monkeypatch):
    fake = Time()
    monkeypatch.setattr(module, "time", fake)
    return fake


def trained(deadline, clock, seconds, *, step=0, total=100_000, stop=None, log_every=10):
    """Train until the estimated end, or some step; `seconds` is what a step takes."""
    while step < total and step != stop:
        clock.now += seconds(step)
        step += 1
        if deadline.due(step, log_every):
            total = deadline.estimate(step)
            assert total >= step
    return step, total


@pytest.mark.parametrize(
    "seconds",
    [
        pytest.param(lambda step: 2.0, id="steady"),
        pytest.param(lambda step: 60.0 if step == 0 else 2.0, id="slow at first"),
        pytest.param(lambda step: 2.0 if step < 500 else 4.0, id="slower later"),
        pytest.param(lambda step: 4.0 if step < 500 else 1.0, id="faster later"),
        pytest.param(lambda step: 1.5 + step % 7 / 4, id="unsteady"),
    ],
)
def test_a_run_ends_at_its_deadline_with_its_rate_at_the_end(seconds, clock):
    started = clock.now
    steps, total = trained(Deadline(1.0), clock, seconds)

    assert clock.now - started == pytest.approx(HOUR, rel=0.01)
    assert steps == total
    last = rate(steps - 1, warmup=100, total=total, config=ScheduleConfig())
    assert 0 <= last < 0.002
    assert rate(steps, warmup=100, total=total, config=ScheduleConfig()) == 0


def test_the_first_estimates_come_soon_and_the_later_ones_with_the_rows(clock):
    due = [step for step in range(1, 101) if Deadline(1.0).due(step, 50)]

    assert due == [1, 2, 4, 8, 16, 50, 100]


def test_the_first_estimate_is_that_of_the_first_step(clock):
    deadline = Deadline(1.0)
    clock.now += 36.0

    assert deadline.estimate(1) == 100


def test_a_late_change_of_speed_moves_the_end_little_by_little(clock):
    deadline = Deadline(1.0)
    _, total = trained(deadline, clock, lambda step: 2.0, stop=200)
    assert total == 1800

    clock.now += 10 * 20.0

    assert deadline.estimate(210) == 210 + int((HOUR - 400 - 200) / (2.0 + 0.1 * 18.0))


def test_when_the_time_is_up_the_end_is_here(clock):
    deadline = Deadline(0.001)
    clock.now += 100

    assert deadline.estimate(7) == 7


def test_standing_still_between_runs_costs_nothing_and_what_was_spent_is_kept(clock):
    """Saved between two estimates: the seconds since the last one are spent, too."""
    first = Deadline(1.0)
    trained(first, clock, lambda step: 2.0, stop=105)
    state = json.loads(json.dumps(first.state()))
    clock.now += 10_000

    second = Deadline(1.0)
    clock.now += 77  # until the checkpoint is read
    second.restore(state, 105)
    steps, _ = trained(second, clock, lambda step: 2.0, step=105, total=1800)

    assert state["spent_s"] == 210
    assert steps == 1800


def test_many_stops_do_not_add_time(clock):
    state, step, total, worked = None, 0, 100_000, 0.0
    while step < total:
        deadline = Deadline(1.0)
        if state is not None:
            deadline.restore(state, step)
        before = clock.now
        step, total = trained(
            deadline, clock, lambda step: 2.0, step=step, total=total, stop=step + 7
        )
        worked += clock.now - before
        state = deadline.state()
        clock.now += 333

    assert worked == pytest.approx(HOUR, rel=0.01)
