"""Ctrl-C and SIGTERM ask a run to stop after the step it is in."""

import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

from unmask.core.progress import say

SIGNALS = (signal.SIGINT, signal.SIGTERM)


@contextmanager
def stop_requested() -> Iterator[Callable[[], int]]:
    """Yield a function that gives the signal that asked for a stop, or 0.

    A second Ctrl-C stops at once. A second SIGTERM changes nothing: schedulers send several.
    """
    received: list[int] = []

    def note(number: int, _frame: FrameType | None) -> None:
        if received and number == signal.SIGINT:
            raise KeyboardInterrupt
        if not received:
            say("stopping after this step; Ctrl-C once more loses what is not saved")
        received.append(number)

    before = {number: signal.signal(number, note) for number in SIGNALS}
    try:
        yield lambda: received[0] if received else 0
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
