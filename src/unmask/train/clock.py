"""Where the time of a step goes."""

import time
from collections.abc import Iterator
from contextlib import contextmanager

import torch

PARTS = ("data", "forward", "backward", "optimizer", "communication")
Mark = float | torch.cuda.Event


class Clock:
    """Seconds by part; on a card they are read off its own events, without waiting for it."""

    def __init__(self, device: torch.device) -> None:
        self._on_card = device.type == "cuda"
        self._spans: list[tuple[str, Mark, Mark]] = []

    @contextmanager
    def part(self, name: str) -> Iterator[None]:
        """Add what happens within to a part."""
        begin = self.mark()
        try:
            yield
        finally:
            self.add(name, begin)

    def mark(self) -> Mark:
        """The time now, as the device has it."""
        if not self._on_card:
            return time.perf_counter()
        event = torch.cuda.Event(enable_timing=True)  # type: ignore[no-untyped-call]
        event.record()
        return event

    def add(self, name: str, begin: Mark) -> None:
        """Add the time since a mark to a part."""
        self._spans.append((name, begin, self.mark()))

    def seconds(self, steps: int) -> dict[str, float]:
        """The mean seconds a step of each part since the last call; waits for the card."""
        spans, self._spans = self._spans, []
        if self._on_card:
            torch.cuda.synchronize()
        total = dict.fromkeys(PARTS, 0.0)
        for name, begin, end in spans:
            total[name] += _between(begin, end)
        return {name: value / max(1, steps) for name, value in total.items()}


def _between(begin: Mark, end: Mark) -> float:
    if isinstance(begin, float) and isinstance(end, float):
        return end - begin
    assert isinstance(begin, torch.cuda.Event)
    assert isinstance(end, torch.cuda.Event)
    return float(begin.elapsed_time(end)) / 1000
