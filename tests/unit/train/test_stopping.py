import signal

import pytest

from unmask.train.stopping import SIGNALS, stop_requested


def send(number):
    """To this thread: a signal to the process may reach another one, and be noted too late."""
    signal.raise_signal(number)


@pytest.mark.parametrize("number", SIGNALS)
def test_a_signal_asks_to_stop_and_interrupts_nothing(number, capsys):
    with stop_requested() as stop:
        assert stop() == 0
        send(number)
        assert stop() == number

    assert capsys.readouterr().err == (
        "stopping after this step; Ctrl-C once more loses what is not saved\n"
    )


def test_a_second_ctrl_c_stops_at_once():
    with stop_requested() as stop:
        send(signal.SIGINT)
        with pytest.raises(KeyboardInterrupt):
            send(signal.SIGINT)
        assert stop() == signal.SIGINT


def test_ctrl_c_stops_at_once_after_a_scheduler_asked(capsys):
    with stop_requested() as stop:
        send(signal.SIGTERM)
        with pytest.raises(KeyboardInterrupt):
            send(signal.SIGINT)
        assert stop() == signal.SIGTERM


def test_a_second_sigterm_changes_nothing(capsys):
    with stop_requested() as stop:
        for _ in range(3):
            send(signal.SIGTERM)
        assert stop() == signal.SIGTERM

    assert capsys.readouterr().err.count("\n") == 1


def test_signals_are_handled_as_before_afterwards():
    before = [signal.getsignal(number) for number in SIGNALS]

    with pytest.raises(ValueError, match="wrong"), stop_requested():
        assert [signal.getsignal(number) for number in SIGNALS] != before
        raise ValueError("wrong")

    assert [signal.getsignal(number) for number in SIGNALS] == before
