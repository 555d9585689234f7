"""The first pass: read a slice, clean it, leave out what the filters drop, hash what is left."""

import dataclasses
from collections import Counter
from collections.abc import Iterator
from typing import Any

import numpy as np

from unmask.corpus.config import CorpusConfig
from unmask.corpus.duplicates import hashes
from unmask.corpus.inputs.formats import UNDECODABLE, texts
from unmask.corpus.inputs.slices import Slice
from unmask.corpus.quality import filters
from unmask.corpus.quality.clean import clean
from unmask.corpus.quality.dropped import Samples
from unmask.corpus.split import fingerprint
from unmask.corpus.store import Document, PartWriter
from unmask.corpus.work import TEXTS, Part, Work


@dataclasses.dataclass(frozen=True, slots=True)
class ReadTask:
    """One slice to be read."""

    slice: Slice
    config: CorpusConfig
    work: Work


def read(task: ReadTask) -> dict[str, Any]:
    """Write the documents of a slice that pass, in parts, and their hashes beside each part.

    The result holds the rows of each part and how many documents were dropped for which reason.
    """
    name = task.slice.name
    dropped: Counter[str] = Counter()
    samples = Samples(name)
    hashed = _Hashes(int(name), task.work)
    with PartWriter(task.work.folder / TEXTS, name) as writer:
        for source, text in _passing(task, dropped, samples):
            digest = fingerprint(text)
            hashed.add(digest)
            if writer.add(Document(digest.hex()[:16], text, source)):
                hashed.flush()
        hashed.flush()
    samples.write(task.work.samples("read", name))
    return {"rows": hashed.rows, "dropped": dict(dropped)}


def _passing(task: ReadTask, dropped: Counter[str], samples: Samples) -> Iterator[tuple[str, str]]:
    """Yield the source and the cleaned text of documents to keep; count the others."""
    limits = task.config.filters
    rules = filters.chosen(limits)
    may_be_broken = task.config.undecodable == "drop"
    found = texts(task.slice, task.config, lambda _: None)
    for number, (source, raw) in enumerate(found):
        text = clean(raw)
        if not text:
            dropped["empty"] += 1
            continue
        if may_be_broken and UNDECODABLE.search(text):
            reason: str | None = "undecodable"
        else:
            reason = next((rule.name for rule in rules if rule.drops(text, limits)), None)
        if reason is None:
            yield source, text
            continue
        dropped[reason] += 1
        samples.add(reason, number, source, text)


class _Hashes:
    """Collects 128 bits of the fingerprint of each document, and writes them part by part."""

    def __init__(self, slice_number: int, work: Work) -> None:
        self._slice, self._work = slice_number, work
        self._digests = bytearray()
        self.rows: list[int] = []

    def add(self, digest: bytes) -> None:
        """Take the first 64 bits, which are the id, and the last 64, which choose the split."""
        self._digests += digest[:8] + digest[-8:]

    def flush(self) -> None:
        """End a part."""
        rows = len(self._digests) // hashes.HASH_BYTES
        if rows:
            part = Part(self._slice, len(self.rows), 0, rows)
            hashes.write(self._work.hashes(part), self._digests, np.arange(rows))
            self.rows.append(rows)
            self._digests.clear()
