"""The folder `work`: what one pass over a corpus leaves for the next.

A pass reads what the passes before it left, in files named by part or by bucket; so its tasks can
run in any order, on any machine that sees the folder.
"""

import dataclasses
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

ROWS = 32
"""Bits of a position that number the document within its slice."""

TEXTS = "texts"
DUPLICATE = "duplicate"
NEAR_DUPLICATE = "near_duplicate"

_KINDS = (
    *(TEXTS, "hashes", "samples", DUPLICATE),
    *("signatures", "bands", "pairs", NEAR_DUPLICATE),
)


@dataclasses.dataclass(frozen=True, slots=True)
class Part:
    """Some consecutive documents of a slice, which lie in one file."""

    slice: int
    number: int
    first: int
    """The position of its first document; the others follow."""
    rows: int

    @property
    def name(self) -> str:
        """What its files are called."""
        return f"{self.slice:06d}-{self.number:04d}"


@dataclasses.dataclass(frozen=True, slots=True)
class Work:
    """The files in the folder, by what they hold."""

    folder: Path

    def make(self) -> None:
        """Make the folders that the passes write to."""
        for kind in _KINDS:
            (self.folder / kind).mkdir(parents=True, exist_ok=True)

    def done(self, step: str) -> Path:
        """Give the folder of the results of a pass."""
        return self.folder / "done" / step

    def texts(self, part: Part) -> Path:
        """Cleaned documents, as Parquet."""
        return self._file(TEXTS, part.name, "parquet")

    def hashes(self, part: Part) -> Path:
        """The fingerprints of the documents, sorted (see `hashes`)."""
        return self._file("hashes", part.name)

    def bands(self, part: Part) -> Path:
        """The band hashes of the documents' signatures, sorted likewise."""
        return self._file("bands", part.name)

    def signatures(self, part: Part) -> Path:
        """The MinHash signatures of the documents."""
        return self._file("signatures", part.name)

    def pairs(self, bucket: int) -> Path:
        """Pairs of documents that are nearly the same (see `pairs`)."""
        return self._file("pairs", f"{bucket:06d}")

    def repeats(self, reason: str, bucket: int) -> Path:
        """Pairs of a document to drop and the one that is kept for it."""
        return self._file(reason, f"{bucket:06d}")

    def samples(self, step: str, slice_name: str) -> Path:
        """Some of what a pass dropped of a slice."""
        return self._file("samples", f"{slice_name}-{step}", "jsonl")

    def _file(self, kind: str, name: str, suffix: str = "bin") -> Path:
        return self.folder / kind / f"{name}.{suffix}"


def position(slice_number: int, row: int) -> int:
    """Number a document of the corpus; a document before another has a smaller position."""
    return slice_number << ROWS | row


def parts(results: Mapping[str, Mapping[str, Any]]) -> list[Part]:
    """List the parts that the reading pass wrote, from the rows of each in its results."""
    found = []
    for name, result in results.items():
        row = 0
        for number, rows in enumerate(result["rows"]):
            found.append(Part(int(name), number, position(int(name), row), rows))
            row += rows
    return found


def by_slice(found: Iterable[Part]) -> dict[str, tuple[Part, ...]]:
    """Group parts by the name of their slice."""
    groups: dict[str, list[Part]] = {}
    for part in found:
        groups.setdefault(f"{part.slice:06d}", []).append(part)
    return {name: tuple(group) for name, group in groups.items()}
