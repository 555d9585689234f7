"""Closed and open loops against queueing theory, on a clock that is made up."""

import threading
import time

import numpy as np
import pytest

from unmask.bench.loops import Line, Load, poisson, run

SERVICE = 0.01


class MadeUp:
    """A clock that moves when somebody sleeps."""

    def __init__(self):
        self.time = 100.0

    def now(self):
        return self.time

    def sleep(self, seconds):
        assert seconds >= 0
        self.time += seconds


def served(load, inputs=1, service=SERVICE):
    """The log of a server that takes the same time for every request."""
    clock = MadeUp()
    return run(lambda _: clock.sleep(service), inputs, 1, load, clock)


def open_loop(rate, seconds, seed=0):
    return served(Load(seconds=seconds, due_R=poisson(rate, seconds, (seed,))))


def waits(log):
    return np.array([entry.begun - entry.due for entry in log.entries])


@pytest.mark.parametrize("utilisation", [0.3, 0.5, 0.8])
def test_requests_wait_as_long_as_queueing_theory_says(utilisation):
    """Pollaczek and Khinchine: the mean wait of M/D/1 is s u / (2 (1 - u))."""
    log = open_loop(utilisation / SERVICE, 2000.0)

    expected = SERVICE * utilisation / (2 * (1 - utilisation))
    assert waits(log).mean() == pytest.approx(expected, rel=0.05)


def test_latency_counts_from_when_a_request_came():
    log = served(Load(seconds=1.0, due_R=np.array([0.0, 0.001, 0.5])))

    latency = [entry.ended - entry.due for entry in log.entries]
    assert latency == pytest.approx([SERVICE, 2 * SERVICE - 0.001, SERVICE])


def test_above_capacity_latency_grows_to_the_end():
    log = open_loop(1.5 / SERVICE, 10.0)

    latency = np.array([entry.ended - entry.due for entry in log.entries])
    first, second, last = (part.mean() for part in np.array_split(latency, 3))
    assert first < second / 2 < last / 2
    assert all(entry.answered for entry in log.entries)


def test_what_an_open_loop_does_not_get_to_counts_with_the_time_that_it_waited():
    seconds = 1.0
    log = open_loop(4 / SERVICE, seconds)

    late = [entry for entry in log.entries if not entry.answered]
    assert len(log.entries) == len(poisson(4 / SERVICE, seconds, (0,)))
    assert len(log.entries) - len(late) == pytest.approx(2 * seconds / SERVICE, abs=1)
    assert all(entry.ended == log.begin + 2 * seconds for entry in late)
    assert min(entry.ended - entry.due for entry in late) >= seconds


def test_a_closed_loop_never_queues():
    log = served(Load(seconds=1.0, callers=1))

    assert waits(log).max() == 0
    assert len(log.entries) == pytest.approx(1 / SERVICE, abs=1)
    latency = [entry.ended - entry.due for entry in log.entries]
    assert latency == pytest.approx([SERVICE] * len(latency))


def test_a_round_shorter_than_a_request_has_one():
    log = served(Load(seconds=0.001, callers=1))

    assert [entry.request for entry in log.entries] == [0]


def test_requests_go_round_the_inputs_from_the_first():
    log = served(Load(seconds=0.065, callers=1), inputs=3)

    assert [entry.request for entry in log.entries] == [0, 1, 2, 0, 1, 2, 0]


def test_gaps_between_arrivals_are_exponential():
    due = poisson(50.0, 1000.0, (3,))
    gaps = np.diff(due)

    assert len(due) == pytest.approx(50_000, rel=0.02)
    assert due[-1] < 1000
    assert gaps.mean() == pytest.approx(0.02, rel=0.02)
    assert gaps.std() == pytest.approx(0.02, rel=0.02)


def test_an_open_loop_has_one_request_at_least():
    assert poisson(1e-6, 0.1, (0,)).tolist() == [0.0]


def test_arrivals_differ_from_seed_to_seed_and_are_the_same_for_one():
    assert poisson(5, 10, (0, 1)).tolist() == poisson(5, 10, (0, 1)).tolist()
    assert poisson(5, 10, (0, 1)).tolist() != poisson(5, 10, (0, 2)).tolist()


def test_so_many_places_are_taken_at_once_and_never_more():
    state, lock = {"now": 0, "most": 0}, threading.Lock()

    def answer(_):
        with lock:
            state["now"] += 1
            state["most"] = max(state["most"], state["now"])
        time.sleep(0.002)
        with lock:
            state["now"] -= 1

    log = run(answer, 1, 3, Load(seconds=0.05, callers=6))

    assert state["most"] == 3
    assert {entry.slot for entry in log.entries} == {0, 1, 2}


def test_who_came_first_is_served_first():
    line, order = Line(1), []

    def caller(number):
        with line.place():
            order.append(number)

    with line.place():
        threads = [threading.Thread(target=caller, args=(number,)) for number in range(8)]
        for count, thread in enumerate(threads, start=1):
            thread.start()
            while len(line._waiting) < count:
                time.sleep(0.0005)
    for thread in threads:
        thread.join()

    assert order == list(range(8))


@pytest.mark.parametrize("callers", [1, 4])
def test_an_answer_that_fails_ends_the_round_and_nobody_waits_for_ever(callers):
    def answer(_):
        raise ValueError("broken")

    with pytest.raises(ValueError, match="broken"):
        run(answer, 1, 1, Load(seconds=0.01, callers=callers))
