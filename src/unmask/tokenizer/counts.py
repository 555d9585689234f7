"""Counted words in files: sorted runs, written, read, and merged as streams.

A run is a Parquet file of words, sorted by their bytes, each once, with 64-bit counts. Runs of any
size are merged in bounded memory: a block of each is held at a time.
"""

import bisect
import dataclasses
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from unmask.core import files, manifests
from unmask.core.errors import UserError
from unmask.core.manifests import Manifest
from unmask.tokenizer.pretokens import SCHEMA, letters, summed
from unmask.tokenizer.words import Words

STAGE = "counts"
NAME = "counts-00000.parquet"
PRETOKENS = "gpt-2"
"""How text was cut into words; stands in the manifest, as counts of other words cannot be added."""

LARGEST_TOTAL = 1 << 63
"""Words in total must stay below, so that no count and no sum of counts wraps."""

_PARQUET = {
    "compression": "zstd",
    "use_dictionary": False,  # no word occurs twice
    "column_encoding": {"word": "DELTA_BYTE_ARRAY", "count": "PLAIN"},  # sorted: prefixes repeat
    "write_statistics": False,
    "write_page_checksum": True,
}
_GROUP_ROWS = 1 << 20
_BLOCK_ROWS = 1 << 16


def write(path: Path, blocks: Iterable[pa.Table]) -> dict[str, int]:
    """Write sorted blocks as one run; tell its distinct words and words in total.

    Equal words give equal bytes.
    """
    distinct = total = 0
    with files.atomic(path) as file, pq.ParquetWriter(file, SCHEMA, **_PARQUET) as writer:
        for group in _even(blocks):
            writer.write_table(group)
            distinct += len(group)
            total += pc.sum(group["count"]).as_py()
    return {"distinct_words": distinct, "words": total}


def read(path: Path) -> Iterator[pa.Table]:
    """Stream a run, block by block; UserError if the file is damaged."""
    try:
        with path.open("rb") as file:
            run = pq.ParquetFile(file, page_checksum_verification=True)
            if not run.schema_arrow.equals(SCHEMA):
                raise _damaged(path, "other columns")
            for batch in run.iter_batches(_BLOCK_ROWS, use_threads=False):
                yield pa.Table.from_batches([batch])
    except (pa.ArrowException, OSError) as error:
        raise _damaged(path, str(error)) from None


def merge(paths: Sequence[Path]) -> Iterator[pa.Table]:
    """Add runs together: what comes out, block after block, is again a run.

    In each turn the words up to the first end of a block are final: those still to come from any
    run are greater.
    """
    cursors = [cursor for path in paths if (cursor := _Cursor(path)).refill()]
    while cursors:
        bound = min(cursor.last for cursor in cursors)
        yield summed([cursor.take(bound) for cursor in cursors])
        cursors = [cursor for cursor in cursors if cursor.refill()]


def find(folder: Path) -> Manifest:
    """Read the manifest of a counts folder; UserError if it is none, or cut short."""
    manifest = manifests.read(folder)
    if manifest.stage != STAGE:
        raise UserError(
            f"{folder}: was written by unmask {manifest.stage} and holds no counts",
            "name a folder that unmask counts has written",
        )
    if manifest.facts.get("pretokens") != PRETOKENS:
        raise UserError(
            f"{folder}: counts words cut by {manifest.facts.get('pretokens')}, not by {PRETOKENS}",
            "count the corpus again with this version",
        )
    for output in manifest.outputs:
        path = folder / output.path
        size = path.stat().st_size if path.is_file() else 0
        if size != output.bytes:
            raise _damaged(path, f"{size:,} bytes, its manifest says {output.bytes:,}")
    return manifest


@dataclasses.dataclass(frozen=True, slots=True)
class Chosen:
    """The words to learn from, and how many were left out because they are rare."""

    words: Words
    left_out: int
    left_out_share: float
    """The share of the text that the left out words are."""


def choose(path: Path, min_count: int) -> Chosen:
    """Read the words of a run that were seen `min_count` times or more."""
    kept, rows, total = [SCHEMA.empty_table()], 0, 0
    for block in read(path):
        kept.append(block.filter(pc.greater_equal(block["count"], min_count)))
        rows += len(block)
        total += pc.sum(block["count"]).as_py()
    words = words_of(pa.concat_tables(kept))
    rare = total - int(words.counts_W.sum())
    return Chosen(words, rows - len(words.counts_W), rare / max(total, 1))


def words_of(table: pa.Table) -> Words:
    """Lay words out chunk by chunk: together they may have more bytes than one array holds."""
    parts = [letters(chunk) for chunk in table["word"].chunks if len(chunk)]
    if not parts:
        return Words.of({})
    return Words(
        np.concatenate([text_S for text_S, _ in parts]),
        np.concatenate(
            [np.diff(starts_W, append=len(text_S)) for text_S, starts_W in parts]
        ).astype(np.int32),
        table["count"].to_numpy().astype(np.int64),
    )


class _Cursor:
    """One run of a merge, and as much of it as is held."""

    def __init__(self, path: Path) -> None:
        self._blocks = read(path)
        self._words: Any = []
        self._block = SCHEMA.empty_table()

    @property
    def last(self) -> bytes:
        """The greatest word that is held."""
        return bytes(self._words[-1].as_py())

    def refill(self) -> bool:
        """Hold a block, if what was held is taken; False at the end of the run."""
        while not len(self._block):
            block = next(self._blocks, None)
            if block is None:
                return False
            self._block = block
            self._words = block["word"].chunk(0)
        return True

    def take(self, bound: bytes) -> pa.Table:
        """Take the held words up to `bound`."""
        end = bisect.bisect_right(self._words, bound, key=lambda word: word.as_py())
        taken = self._block[:end]
        self._block, self._words = self._block[end:], self._words[end:]
        return taken


def _even(blocks: Iterable[pa.Table]) -> Iterator[pa.Table]:
    """Cut anew into blocks of one size, so that the bytes of a file depend on the words alone."""
    held = SCHEMA.empty_table()
    for block in blocks:
        held = pa.concat_tables([held, block])
        while len(held) >= _GROUP_ROWS:
            yield held[:_GROUP_ROWS].combine_chunks()
            held = held[_GROUP_ROWS:]
    if len(held):
        yield held.combine_chunks()


def _damaged(path: Path, reason: str) -> UserError:
    return UserError(f"{path}: damaged ({reason})", "run unmask counts again with --force")
