"""The inputs cut into slices of about equal size, each of them work for one task.

A slice names byte ranges and no file is opened to make it: names, sizes and the config alone
decide. Whoever reads a range moves both of its ends to the next place where a document can begin
(`formats.cuts`), so neighbours agree and every document belongs to exactly one slice.
"""

import codecs
import dataclasses
import itertools
import re
from collections.abc import Iterator, Sequence

from unmask.corpus.config import CorpusConfig
from unmask.corpus.inputs.sources import Source, suffixes

SLICE_BYTES = 1 << 26

_LARGEST_SHARE = 1 << 10
"""Files a slice holds at most: to open one takes time as well."""
_LINE_ENDS_ARE_BYTES = re.compile(r"utf-8|ascii|iso8859-\d+|cp125\d|koi8-[rtu]")
"""Encodings in which a line end is one byte that is never a part of another character."""


@dataclasses.dataclass(frozen=True, slots=True)
class Piece:
    """A range of a file's bytes; its ends are nominal unless it is the whole file."""

    source: Source
    start: int
    stop: int

    @property
    def bytes(self) -> int:
        """What it weighs in the progress of the whole."""
        return self.stop - self.start

    @property
    def whole(self) -> bool:
        """Tell a file from a part of one."""
        return self.bytes == self.source.bytes


@dataclasses.dataclass(frozen=True, slots=True)
class Slice:
    """Pieces to be read one after another; `name` is its number among the slices."""

    name: str
    pieces: tuple[Piece, ...]

    @property
    def bytes(self) -> int:
        """What it weighs in the progress of the whole."""
        return sum(piece.bytes for piece in self.pieces)


def slices(
    sources: Sequence[Source], config: CorpusConfig, *, size: int = SLICE_BYTES
) -> list[Slice]:
    """Cut the sources, in their order, into slices of at most about `size` bytes.

    A file that cannot be cut is a slice of its own if it is larger; small files share a slice.
    """
    groups: list[list[Piece]] = []
    weight = 0
    for piece in _pieces(sources, config, size):
        cost = max(piece.bytes, size // _LARGEST_SHARE)
        if not groups or weight + cost > size:
            groups.append([])
            weight = 0
        groups[-1].append(piece)
        weight += cost
    return [Slice(f"{number:06d}", tuple(group)) for number, group in enumerate(groups)]


def _pieces(sources: Sequence[Source], config: CorpusConfig, size: int) -> Iterator[Piece]:
    for source in sources:
        parts = max(1, -(-source.bytes // size)) if _can_be_cut(source, config) else 1
        cuts = [source.bytes * part // parts for part in range(parts + 1)]
        yield from (Piece(source, *ends) for ends in itertools.pairwise(cuts))


def _can_be_cut(source: Source, config: CorpusConfig) -> bool:
    suffix, packing = suffixes(source.path)
    if packing:
        return False
    lines = _LINE_ENDS_ARE_BYTES.fullmatch(codecs.lookup(config.encoding).name) is not None
    match suffix:
        case ".txt":
            return lines and config.txt_documents == "blank-line"
        case ".jsonl":
            return lines
        case _:
            return suffix == ".parquet"
