import pytest
import torch

from unmask.train import clock as module
from unmask.train.clock import PARTS, Clock


@pytest.fixture
def clock(monkeypatch):
    """A clock on a processor whose time goes on when it is told to."""
    made = Clock(torch.device("cpu"))
    made.now = 50.0
    monkeypatch.setattr(module.time, "perf_counter", lambda: made.now)
    return made


def test_the_time_of_each_part_is_added_up_and_shared_by_the_steps(clock):
    for _ in range(4):
        with clock.part("forward"):
            clock.now += 2.0
        clock.now += 100.0  # of no part
        with clock.part("backward"):
            clock.now += 3.0
    begin = clock.mark()
    clock.now += 8.0
    clock.add("communication", begin)

    expected = {"data": 0, "forward": 2, "backward": 3, "optimizer": 0, "communication": 2}
    assert clock.seconds(4) == expected
    assert tuple(expected) == PARTS


def test_it_begins_anew_after_it_was_asked(clock):
    with clock.part("data"):
        clock.now += 1.0
    clock.seconds(1)

    assert clock.seconds(1) == dict.fromkeys(PARTS, 0.0)


def test_parts_may_lie_within_each_other(clock):
    with clock.part("backward"):
        clock.now += 1.0
        with clock.part("communication"):
            clock.now += 1.0

    seconds = clock.seconds(1)
    assert (seconds["backward"], seconds["communication"]) == (2.0, 1.0)


def test_a_part_that_fails_is_counted(clock):
    with pytest.raises(ValueError, match="wrong"), clock.part("data"):
        clock.now += 1.0
        raise ValueError("wrong")

    assert clock.seconds(1)["data"] == 1.0


def test_no_step_is_no_division_by_zero(clock):
    assert clock.seconds(0) == dict.fromkeys(PARTS, 0.0)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a card")
def test_on_a_card_it_takes_the_time_of_the_card():
    clock, matrix = Clock(torch.device("cuda")), torch.rand(4096, 4096, device="cuda")
    with clock.part("forward"):
        for _ in range(50):
            matrix @ matrix

    assert clock.seconds(1)["forward"] > 1e-4
