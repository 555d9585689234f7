"""Any number of texts, a window of them at a time.

Within a window texts are sorted by length, so it is a few thousand of them; its size is bounded in
characters, too, so that what is held does not depend on the length of texts, either.
"""

import dataclasses
import hashlib
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple, Protocol

from unmask.core.errors import UserError
from unmask.core.progress import Bar, bar
from unmask.infer.pipelines import Answer
from unmask.infer.reading import Meter

Item = Any
"""A text, a pair, a question or a schema."""


class Size(NamedTuple):
    """How much a window holds: at most so many texts, and no more once it has the characters."""

    texts: int
    characters: int


MANY = Size(4096, 1 << 22)
OF_VECTORS = Size(256, 1 << 16)
"""Where each token has a vector: some hundred megabytes, written as numbers."""
WATCHED = 256
"""Texts whose answers somebody waits for who watches stdout."""


class Tally(Protocol):
    """What is said of all texts together, after the last one, and is counted window by window."""

    def state(self) -> dict[str, Any]:
        """What was counted so far, as JSON can hold it."""

    def restore(self, state: dict[str, Any]) -> None:
        """Go on counting from there."""

    def last(self) -> list[Answer]:
        """The lines after those of the texts."""


@dataclasses.dataclass(frozen=True, slots=True)
class Job:
    """What is asked, and who answers."""

    items: Iterator[Item]
    open: Callable[[], Callable[[list[Item]], Iterable[Answer]]]
    """Load the model; what it gives answers a window, in order."""
    tally: Tally | None = None
    size: Size = MANY


@dataclasses.dataclass(frozen=True, slots=True)
class Window:
    """Texts that are answered together."""

    items: list[Item]
    full: bool
    """False for the last one, and for one that something unreadable cuts short."""


class Windows:
    """Cuts items into windows, and knows what they were: the same beginning has the same hash."""

    def __init__(self, items: Iterator[Item], size: Size) -> None:
        self._items, self._size = items, size
        self._hash = hashlib.sha256()
        self.read = 0
        """Items so far."""

    def digest(self) -> str:
        """The sha256 of all items so far, wherever they were read from."""
        return self._hash.hexdigest()

    def skip(self, count: int) -> None:
        """Read over so many items, or as many as there are; the next window begins after them."""
        while self.read < count and self._next() is not None:
            pass

    def skip_all(self) -> None:
        """Read over all items."""
        while self._next() is not None:
            pass

    def __iter__(self) -> Iterator[Window]:
        """Yield windows; where an item cannot be read, first what came before it.

        Where they begin and end follows from the items and the size alone.
        """
        while True:
            items: list[Item] = []
            characters = 0
            try:
                while len(items) < self._size.texts and characters < self._size.characters:
                    if (found := self._next()) is None:
                        break
                    items.append(found[0])
                    characters += found[1]
                else:
                    yield Window(items, full=True)
                    continue
            except UserError:
                if items:
                    yield Window(items, full=False)
                raise
            if items:
                yield Window(items, full=False)
            return

    def _next(self) -> tuple[Item, int] | None:
        for item in self._items:
            # Where an item stands is no part of what it is: its file may be moved.
            whole = dataclasses.replace(item, place="") if hasattr(item, "place") else item
            content = ascii(whole).encode()
            self._hash.update(content + b"\n")
            self.read += 1
            return item, len(content)
        return None


class Shown:
    """A bar of lines with their speed; its total is estimated from the bytes read so far."""

    def __init__(self, progress: Bar, meter: Meter, done: int) -> None:
        self._progress, self._meter = progress, meter
        self._begun, self._done = done, done
        self._started = time.monotonic()

    def advance(self, lines: int) -> None:
        """Move on by so many lines."""
        self._done += lines
        if share := self._meter.share():
            self._progress.expect(max(self._done, round(self._done / share)))
        seconds = max(time.monotonic() - self._started, 1e-3)
        self._progress.advance(lines, f"{(self._done - self._begun) / seconds:,.0f} lines/s")


@contextmanager
def shown(meter: Meter, done: int = 0) -> Iterator[Shown]:
    """Show progress, having `done` some lines already."""
    with bar("lines", None, done=done) as progress:
        yield Shown(progress, meter, done)
