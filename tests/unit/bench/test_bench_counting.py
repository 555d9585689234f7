"""Work is counted in the time that all have in common."""

import numpy as np
import pytest

from unmask.bench.counting import counted
from unmask.bench.loops import Entry, Log
from unmask.core.errors import UserError

WORK = np.array([[1.0, 10.0, 100.0], [2.0, 20.0, 200.0]])
"""Sentences, tokens and operations of two inputs."""


def log(*spans, begin=0.0):
    """A process that was at work in these spans: (begun, ended) or (begun, ended, slot, input)."""
    entries = []
    for begun, ended, *more in spans:
        slot, request = (*more, 0, 0)[:2] if more else (0, 0)
        entries.append(Entry(request, slot, begun, begun, ended))
    return Log(begin, entries)


def test_two_at_the_same_time_answer_twice_as_many():
    one = counted([log((0, 1), (1, 2))], WORK, None)
    two = counted([log((0, 1), (1, 2)), log((0, 1), (1, 2))], WORK, None)

    assert one.work_W.tolist() == [1, 10, 100]
    assert two.work_W.tolist() == [2, 20, 200]


def test_runs_one_after_the_other_are_not_added_up():
    with pytest.raises(UserError, match=r"one stopped 0\.500 s too early"):
        counted([log((0, 1)), log((1.5, 2.5))], WORK, None)


def test_a_request_counts_by_its_share_of_the_common_time():
    # Common: 1 to 4. The first does 3/4 and 0 of its two; the second all of its one.
    found = counted([log((0, 4), (4, 6)), log((1, 4))], WORK, None)

    assert found.work_W[0] == pytest.approx((3 / 4 + 1) / 3)


def test_a_place_that_begins_late_shortens_the_time_for_all():
    found = counted([log((0, 2, 0), (2, 4, 0), (3, 4, 1))], WORK, None)

    assert found.work_W[0] == pytest.approx(1 / 2 + 1)


def test_every_kind_of_work_is_that_of_the_requests_input():
    found = counted([log((0, 1, 0, 1), (1, 2, 0, 0))], WORK, None)

    assert found.work_W.tolist() == [1.5, 15, 150]


def test_latencies_are_of_all_requests_from_when_they_came():
    entries = [Entry(0, 0, 0.0, 0.0, 1.0), Entry(0, 0, 0.25, 1.0, 2.0)]

    found = counted([Log(0.0, entries)], WORK, None)

    assert found.latency_R.tolist() == [1.0, 1.75]


def test_an_open_loop_is_counted_in_the_time_in_which_requests_came():
    entries = [
        Entry(0, 0, 0.0, 0.0, 1.0),
        Entry(0, 0, 0.5, 1.0, 3.0),
        Entry(0, 0, 1.0, 4.0, 4.0, answered=False),
    ]

    found = counted([Log(0.0, entries)], WORK, 2.0)

    assert found.work_W[0] == pytest.approx((1 + 1 / 2) / 2)
    assert found.unanswered == 1
    assert found.latency_R.tolist() == [1.0, 2.5, 3.0]
