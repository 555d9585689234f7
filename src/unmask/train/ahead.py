"""The micro-batches of the steps to come, made while the step before is computed."""

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Generic, TypeVar

T = TypeVar("T")


class Ahead(Generic[T]):
    """Asks for the next piece of work in a thread while the one before is in use.

    `made(place)` is a pure function, so what was made in vain is thrown away without loss.
    """

    def __init__(self, made: Callable[[int, int], T]) -> None:
        self._made = made
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="batches")
        self._waiting: tuple[tuple[int, int], Future[T]] | None = None

    def take(self, place: tuple[int, int], after: tuple[int, int] | None) -> T:
        """Give the piece at this place, and begin with the one that is asked for next."""
        found = None
        if self._waiting is not None and self._waiting[0] == place:
            found = self._waiting[1].result()
        elif self._waiting is not None:
            self._waiting[1].cancel()
        if found is None:
            found = self._made(*place)
        self._waiting = None
        if after is not None:
            self._waiting = after, self._thread.submit(self._made, *after)
        return found

    def close(self) -> None:
        """Let the thread end."""
        self._thread.shutdown(cancel_futures=True)
