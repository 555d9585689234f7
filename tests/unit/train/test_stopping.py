"""Signals ask for a stop. Each check has a process of its own: in one with the threads of other
libraries a signal may be noted late, and would then end the tests."""

import signal
import subprocess
import sys

import pytest

from unmask.train.stopping import SIGNALS, stop_requested

TALK = "stopping after this step; Ctrl-C once more loses what is not saved\n"


def a_signal_asks_to_stop_and_interrupts_nothing(number):
    with stop_requested() as stop:
        assert stop() == 0
        signal.raise_signal(number)
        assert stop() == number


def a_second_ctrl_c_stops_at_once():
    with stop_requested() as stop:
        signal.raise_signal(signal.SIGINT)
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)
        assert stop() == signal.SIGINT


def ctrl_c_stops_at_once_after_a_scheduler_asked():
    with stop_requested() as stop:
        signal.raise_signal(signal.SIGTERM)
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)
        assert stop() == signal.SIGTERM


def a_second_sigterm_changes_nothing():
    with stop_requested() as stop:
        for _ in range(3):
            signal.raise_signal(signal.SIGTERM)
        assert stop() == signal.SIGTERM


def signals_are_handled_as_before_afterwards():
    before = [signal.getsignal(number) for number in SIGNALS]

    with pytest.raises(ValueError, match="wrong"), stop_requested():
        assert [signal.getsignal(number) for number in SIGNALS] != before
        raise ValueError("wrong")

    assert [signal.getsignal(number) for number in SIGNALS] == before


CHECKS = [
    *((a_signal_asks_to_stop_and_interrupts_nothing, int(number), TALK) for number in SIGNALS),
    (a_second_ctrl_c_stops_at_once, None, TALK),
    (ctrl_c_stops_at_once_after_a_scheduler_asked, None, TALK),
    (a_second_sigterm_changes_nothing, None, TALK),
    (signals_are_handled_as_before_afterwards, None, ""),
]


@pytest.mark.parametrize(("check", "number", "talk"), CHECKS)
def test_in_a_process_of_its_own(check, number, talk):
    words = [check.__name__] if number is None else [check.__name__, str(number)]

    done = subprocess.run(
        [sys.executable, __file__, *words], capture_output=True, text=True, check=False
    )

    assert done.returncode == 0, done.stderr
    assert done.stderr == talk


if __name__ == "__main__":
    globals()[sys.argv[1]](*map(int, sys.argv[2:]))
