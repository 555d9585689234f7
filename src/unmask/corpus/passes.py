"""The passes over a corpus, one after another; the tasks of each run anywhere, in any order."""

import dataclasses
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

from unmask.core import engine
from unmask.core.manifests import Output
from unmask.corpus import reading, writing
from unmask.corpus.config import CorpusConfig
from unmask.corpus.duplicates import exact, hashes, near, pairs, signatures
from unmask.corpus.duplicates.exact import BucketTask
from unmask.corpus.duplicates.near import BandTask
from unmask.corpus.duplicates.pairs import Pairs
from unmask.corpus.duplicates.signatures import SignatureTask
from unmask.corpus.inputs.slices import SLICE_BYTES, slices
from unmask.corpus.inputs.sources import Source
from unmask.corpus.quality import dropped, filters
from unmask.corpus.reading import ReadTask
from unmask.corpus.split import SPLITS
from unmask.corpus.work import DUPLICATE, NEAR_DUPLICATE, Part, Work, by_slice, parts
from unmask.corpus.writing import COUNTED, WriteTask

SLICES = 64
SMALLEST_SLICE = 1 << 23
"""Bytes. A small corpus is cut finer, so that it too has something to do for every worker."""

T = TypeVar("T")
Results = Mapping[str, Mapping[str, Any]]
Files = tuple[Path, ...]


@dataclasses.dataclass(frozen=True, slots=True)
class Outcome:
    """What the passes wrote, and the counts as they stand in the manifest."""

    facts: dict[str, Any]
    outputs: tuple[Output, ...]


class Passes:
    """A corpus in the making, in `folder`; what one pass leaves for the next lies in `work`."""

    def __init__(self, folder: Path, work: Path, config: CorpusConfig) -> None:
        self._folder, self._work, self._config = folder, Work(work), config

    def run(self, sources: Sequence[Source]) -> Outcome:
        """Make every pass that the config asks for."""
        self._work.make()
        read = self._read(sources)
        found = tuple(parts(read))
        repeats = {DUPLICATE: self._duplicates(found)} if found else {}
        if found and self._config.near_duplicates is not None:
            repeats[NEAR_DUPLICATE] = self._near_duplicates(
                found, repeats[DUPLICATE], self._config.near_duplicates
            )
        written = self._write(found, repeats)
        self._show(found, read)
        outputs = (Output(**row) for result in written.values() for row in result["outputs"])
        return Outcome(self._facts(read, written), tuple(outputs))

    def _read(self, sources: Sequence[Source]) -> Results:
        whole = sum(source.bytes for source in sources)
        size = min(SLICE_BYTES, max(SMALLEST_SLICE, whole // SLICES))
        cut = slices(sources, self._config, size=size)
        tasks = {piece.name: ReadTask(piece, self._config, self._work) for piece in cut}
        weights = {piece.name: piece.bytes for piece in cut}
        return self._each(reading.read, tasks, "read bytes", weights)

    def _duplicates(self, found: tuple[Part, ...]) -> Files:
        of = hashes.buckets(_rows(found))
        tasks = {_name(number): BucketTask(found, number, of, self._work) for number in range(of)}
        self._each(exact.find, tasks, "find duplicates")
        return tuple(self._work.repeats(DUPLICATE, number) for number in range(of))

    def _near_duplicates(self, found: tuple[Part, ...], repeats: Files, threshold: float) -> Files:
        banding = signatures.banding(threshold)
        tasks = {
            name: SignatureTask(group, banding, repeats, self._work)
            for name, group in by_slice(found).items()
        }
        self._each(signatures.sign, tasks, "sign documents", _weights(found))
        of = hashes.buckets(_rows(found) * banding.bands)
        buckets = {
            _name(number): BandTask(found, number, of, threshold, self._work)
            for number in range(of)
        }
        self._each(near.compare, buckets, "compare documents")
        linked = [pairs.read(self._work.pairs(number)) for number in range(of)]
        groups = near.group(Pairs(*map(np.concatenate, zip(*linked, strict=True))))
        path = self._work.repeats(NEAR_DUPLICATE, 0)
        pairs.write(path, groups)
        return (path,)

    def _write(self, found: tuple[Part, ...], repeats: Mapping[str, Files]) -> Results:
        tasks = {
            name: WriteTask(
                name, group, repeats, self._config.valid_fraction, self._folder, self._work
            )
            for name, group in by_slice(found).items()
        }
        return self._each(writing.write, tasks, "write documents", _weights(found))

    def _show(self, found: tuple[Part, ...], read: Results) -> None:
        """Write the sample of what was dropped."""
        paths = [self._work.samples(step, name) for name in read for step in ("read", "write")]
        names = _Ids(found, self._work)
        dropped.merge(paths, reasons(self._config), self._folder / dropped.NAME, names.at)

    def _facts(self, read: Results, written: Results) -> dict[str, Any]:
        counts = Counter(dict.fromkeys(reasons(self._config), 0))
        kept = {split: Counter(dict.fromkeys(COUNTED, 0)) for split in SPLITS}
        for result in (*read.values(), *written.values()):
            counts.update(result["dropped"])
        for result in written.values():
            for split in SPLITS:
                kept[split].update(result["kept"][split])
        total = {name: sum(kept[split][name] for split in SPLITS) for name in COUNTED}
        splits: dict[str, Any] = {split: dict(kept[split]) for split in SPLITS}
        read_documents = total["documents"] + counts.total()
        return {**total, "read": read_documents, **splits, "dropped": dict(counts)}

    def _each(
        self,
        function: Callable[[T], dict[str, Any]],
        tasks: Mapping[str, T],
        title: str,
        weights: Mapping[str, int] | None = None,
    ) -> Results:
        done = self._work.done(function.__name__)
        return engine.each(function, tasks, self._config, done=done, title=title, weights=weights)


def reasons(config: CorpusConfig) -> list[str]:
    """List why documents may be dropped, in the order in which it is reported."""
    rules = [rule.name for rule in filters.chosen(config.filters)]
    near = [NEAR_DUPLICATE] if config.near_duplicates is not None else []
    return ["empty", DUPLICATE, "undecodable", *rules, *near]


class _Ids:
    """The ids of documents by their positions: an id is the first half of the hash."""

    def __init__(self, found: tuple[Part, ...], work: Work) -> None:
        self._found, self._work = found, work
        self._first_P = np.array([part.first for part in found])

    def at(self, position: int) -> str:
        part = self._found[np.searchsorted(self._first_P, position, side="right") - 1]
        hashed = hashes.read(self._work.hashes(part))
        (place,) = np.flatnonzero(hashed.row_N == position - part.first)
        return f"{hashed.high_N[place]:016x}"


def _rows(found: Sequence[Part]) -> int:
    return sum(part.rows for part in found)


def _weights(found: Sequence[Part]) -> dict[str, int]:
    return {name: _rows(group) for name, group in by_slice(found).items()}


def _name(number: int) -> str:
    return f"{number:06d}"
