"""A sample of what was dropped, and why, for people to look at: `dropped.jsonl`.

Which documents are shown is decided by hashes of where they stood, so it is the same sample
however many workers there were.
"""

import bisect
import itertools
import json
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

from unmask.core import files, hashing

NAME = "dropped.jsonl"
SHOWN = 20
"""Documents for each reason."""
SHOWN_CHARACTERS = 500

Row = dict[str, Any]


class Samples:
    """The documents of one slice that may be shown."""

    def __init__(self, slice_name: str) -> None:
        self._slice = slice_name
        self._rows: dict[str, list[Row]] = {}

    def add(
        self, reason: str, number: int, source: str, text: str, kept: int | None = None
    ) -> None:
        """Take a dropped document, unless enough of lower rank were taken.

        `number` tells it from others of the slice; `kept` is the position of the document that is
        kept in its place.
        """
        rank = hashing.stream(f"dropped {reason}", int(self._slice), number)
        rows = self._rows.setdefault(reason, [])
        if len(rows) < SHOWN or rank < rows[-1]["rank"]:
            shown = text[:SHOWN_CHARACTERS].encode("utf-8", "replace").decode()
            row = {"reason": reason, "rank": rank, "source": source, "text": shown, "kept": kept}
            bisect.insort(rows, row, key=_rank)
            del rows[SHOWN:]

    def write(self, path: Path) -> None:
        """Write what has been taken, if anything."""
        if self._rows:
            _write(path, itertools.chain.from_iterable(self._rows.values()))


def merge(
    paths: Iterable[Path], reasons: Iterable[str], out: Path, name: Callable[[int], str]
) -> bool:
    """Write the sample of the whole corpus from those of its slices; tell if there is any.

    `name` gives the id of the document at a position.
    """
    best: dict[str, list[Row]] = {reason: [] for reason in reasons}
    for path in paths:
        for row in _read(path):
            bisect.insort(best[row["reason"]], row, key=_rank)
            del best[row["reason"]][SHOWN:]
    shown = list(itertools.chain.from_iterable(best.values()))
    for row in shown:
        del row["rank"]
        if (kept := row.pop("kept")) is not None:
            row["kept"] = name(kept)
    if shown:
        _write(out, shown)
    return bool(shown)


def _rank(row: Row) -> int:
    rank: int = row["rank"]
    return rank


def _read(path: Path) -> Iterator[Row]:
    if path.exists():
        with path.open(encoding="utf-8") as file:
            yield from map(json.loads, file)


def _write(path: Path, rows: Iterable[Row]) -> None:
    files.write_text(path, "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows))
