"""Progress on stderr: a bar on a terminal, a plain line now and then elsewhere.

stdout is data and stderr is talk, so nothing here writes to stdout.
"""

import sys
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Protocol, TypeVar

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    SpinnerColumn,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

T = TypeVar("T")

PLAIN_INTERVAL_S = 5.0
RARELY_S = 60.0
"""Between two plain lines of what takes hours; a twentieth of the time so far until then."""
QUICK_S = 2.0
"""What is done sooner needs no line of its own."""


class Bar(Protocol):
    """A running progress display."""

    def advance(self, amount: int = 1, note: str = "") -> None:
        """Move on by `amount`; `note` (such as a loss) stands beside the bar."""

    def expect(self, total: int) -> None:
        """Take another total from now on, where it is an estimate."""


def say(line: str) -> None:
    """Tell the user something, on stderr, above whatever bars are running."""
    if _screen.quiet:
        return
    if _screen.progress is not None:
        _screen.progress.console.print(line, markup=False, highlight=False, soft_wrap=True)
        return
    sys.stderr.write(line + "\n")
    sys.stderr.flush()


@contextmanager
def quiet(*, unless: bool) -> Iterator[None]:
    """Say and show nothing within, as of many processes only one should talk."""
    before, _screen.quiet = _screen.quiet, _screen.quiet or not unless
    try:
        yield
    finally:
        _screen.quiet = before


@contextmanager
def bar(title: str, total: int | None, *, done: int = 0) -> Iterator[Bar]:
    """Show progress towards `total` (None: unknown), having `done` some already."""
    if sys.stderr.isatty() and not _screen.quiet:
        with _screen.task(title, total, done) as rich_bar:
            yield rich_bar
    else:
        lines = _PlainLines(title, total, done)
        yield lines
        lines.finish()


def track(items: Iterable[T], title: str, total: int | None = None) -> Iterator[T]:
    """Yield the items and show how many have passed."""
    with bar(title, total) as progress:
        for item in items:
            yield item
            progress.advance()


class _Screen:
    """The one live display of the process; a bar inside a bar is a second row of it."""

    def __init__(self) -> None:
        self.progress: Progress | None = None
        self.quiet = False

    @contextmanager
    def task(self, title: str, total: int | None, done: int) -> Iterator["_RichBar"]:
        if self.progress is not None:
            inner = _RichBar(self.progress, title, total, done)
            yield inner
            inner.remove()
            return
        with _columns() as self.progress:
            try:
                yield _RichBar(self.progress, title, total, done)
            finally:
                self.progress.refresh()
                self.progress = None


_screen = _Screen()


def _columns() -> Progress:
    return Progress(
        SpinnerColumn(),
        TextColumn("{task.description:<22}"),
        BarColumn(bar_width=28),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
        TextColumn("{task.fields[note]}"),
        console=Console(stderr=True),
    )


class _RichBar:
    def __init__(self, progress: Progress, title: str, total: int | None, done: int) -> None:
        self._progress = progress
        self._task = progress.add_task(title, total=total, completed=done, note="")

    def advance(self, amount: int = 1, note: str = "") -> None:
        if note:
            self._progress.update(self._task, advance=amount, note=note)
        else:
            self._progress.update(self._task, advance=amount)

    def expect(self, total: int) -> None:
        self._progress.update(self._task, total=total)

    def remove(self) -> None:
        self._progress.remove_task(self._task)


class _PlainLines:
    def __init__(self, title: str, total: int | None, done: int) -> None:
        self._title, self._total, self._done = title, total, done
        self._note = ""
        self._said: tuple[int, str] | None = None
        self._started = self._spoken = time.monotonic()

    def advance(self, amount: int = 1, note: str = "") -> None:
        self._done += amount
        self._note = note or self._note
        now = time.monotonic()
        rarely = min(RARELY_S, (now - self._started) / 20)
        if now - self._spoken >= max(PLAIN_INTERVAL_S, rarely):
            self._speak()

    def expect(self, total: int) -> None:
        self._total = total

    def finish(self) -> None:
        quick = self._said is None and time.monotonic() - self._started < QUICK_S
        if not quick and self._said != (self._done, self._note):
            self._speak()

    def _speak(self) -> None:
        self._spoken = time.monotonic()
        self._said = self._done, self._note
        of_total = f" of {self._total:,}" if self._total is not None else ""
        seconds = self._spoken - self._started
        note = f"  {self._note}" if self._note else ""
        say(f"{self._title}: {self._done:,}{of_total} in {seconds:.0f} s{note}")
