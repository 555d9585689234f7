import numpy as np
import pytest

from unmask.report.history import History

from .conftest import activations, event, scores, train, valid, whole_run


def live(track, name="loss"):
    """Steps and values that no later row took back."""
    values = track.column(name)
    known = np.isfinite(values)
    return list(zip(track.steps()[known].tolist(), values[known].tolist(), strict=True))


def test_steps_that_were_trained_again_count_once_and_the_later_time():
    history = History([train(50, 1), train(100, 2), event("resume", 50, 9), train(100, 10, loss=1)])

    assert live(history.train) == [(50, 9.5), (100, 1.0)]
    assert history.train.everything("loss").tolist() == [9.5, 9.0, 1.0]


def test_what_lies_after_a_rollback_is_gone_before_it_is_trained_again():
    rows = [train(50, 1), valid(50, 1), train(100, 2), valid(100, 2), activations(100, 2)]
    history = History([*rows, event("rollback", 100, 2, to=50)])

    assert live(history.train) == [(50, 9.5)]
    assert live(history.valid) == [(50, 5.0)]
    assert live(history.activations, "kurtosis/00") == []
    assert history.step == 50


def test_a_run_killed_before_its_first_checkpoint_begins_anew_without_a_word():
    history = History([valid(0, 0), train(50, 1), train(100, 2), valid(0, 30), train(50, 31)])

    assert live(history.train) == [(50, 9.5)]
    assert live(history.valid) == [(0, 5.0)]
    assert history.hours == pytest.approx(3)


def test_hours_leave_out_the_time_for_which_the_run_was_stopped():
    history = History([valid(0, 0), train(50, 1), event("resume", 50, 100), train(100, 101)])

    assert history.train.hours().tolist() == pytest.approx([1, 2])


def test_the_first_row_of_training_says_when_the_run_began():
    assert History([train(50, 77)]).hours == pytest.approx(1)


def test_work_that_was_lost_has_taken_its_time():
    history = History([train(50, 1), train(100, 2), event("resume", 50, 9), train(100, 10)])

    assert history.hours == pytest.approx(3)


def test_scores_come_late_and_do_not_move_the_clock_or_the_step():
    history = History([train(50, 1), train(100, 2), scores(50, 2.5), train(150, 3)])

    assert history.hours == pytest.approx(3)
    assert live(history.train)[-1][0] == 150
    assert live(history.scores["sst2", "accuracy"], "mean") == [(50, 0.8)]


def test_events_are_told_with_their_step_and_hour():
    history = History(whole_run())

    assert [(event.kind, event.step) for event in history.events] == [
        ("resume", 100),
        ("skipped", 200),
        ("rollback", 200),
        ("stop", 200),
    ]
    assert [event.said for event in history.events] == [
        "went on from step 100",
        "3 steps left out",
        "went back from step 200 to 150",
        "stopped at step 200 by SIGTERM",
    ]
    assert [event.hours for event in history.events] == pytest.approx([3, 5, 5, 6])


def test_rows_without_a_time_have_no_hours_and_what_is_not_known_is_left_out():
    rows = [{"kind": "train", "step": 5, "loss": 1.0}, {"kind": "epoch", "step": 1}, {"dev": 1}]
    history = History(rows)

    assert not history.timed
    assert live(history.train) == [(5, 1.0)]


def test_a_measurement_that_comes_later_or_is_missing_once_has_a_gap():
    history = History([train(1, 1), train(2, 2, mfu=None, new=7), train(3, 3)])

    assert live(history.train, "mfu") == [(1, 0.5), (3, 0.5)]
    assert live(history.train, "new") == [(2, 7)]
    assert history.train.last("new") == 7
    assert history.train.last("never") is None


def test_what_was_trained_before_beginning_anew_is_gone():
    dev = {"kind": "dev", "step": 100, "time": 1e9, "epoch": 1.0, "accuracy": 0.5}
    history = History([train(50, 1), train(100, 2), dev, event("restart", 100, 2)])

    assert live(history.train) == []
    assert live(history.dev, "accuracy") == []
    assert history.step == 0
    assert history.events[0].said == "began anew after step 100, with another seed"
