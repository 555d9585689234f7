"""Documents in, one token shard out: the work of one task."""

import dataclasses
import functools
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, Literal

import numpy as np

from unmask.core import files, manifests
from unmask.corpus import store
from unmask.corpus.store import Document
from unmask.tokenizer.fast import LineEncoder, line_encoder
from unmask.tokenizer.tokenizer import Tokenizer
from unmask.tokens import format as shards
from unmask.tokens import sentences
from unmask.tokens.format import Ints

BATCH_CHARACTERS = 1 << 22


@dataclasses.dataclass(frozen=True, slots=True)
class ShardTask:
    """One part of a corpus to be written as one shard."""

    part: Path
    folder: Path
    stem: str
    tokenizer: Path
    sentences: Literal["lines", "split"]
    language: str | None


def write_shard(task: ShardTask) -> dict[str, Any]:
    """Encode the part; return the files with their hashes and what they hold."""
    encoder = _encoder(task.tokenizer)
    ids, lengths = (task.folder / f"{task.stem}{end}" for end in (shards.IDS, shards.LENGTHS))
    counts = Counter(documents=0, sentences=0, tokens=0, empty_documents=0)
    with files.atomic(ids) as ids_file, files.atomic(lengths) as lengths_file:
        for batch in _batches(store.read_part(task.part)):
            texts = [_sentences(document.text, task) for document in batch]
            lines = encoder([line for text in texts for line in text])
            ids_file.write(lines.ids_T.tobytes())
            packed, found = _lengths(np.array([len(text) for text in texts]), lines.lengths_N)
            lengths_file.write(shards.pack_lengths(packed))
            counts.update(found)
    outputs = [manifests.output(task.folder, path.name) for path in (ids, lengths)]
    return {
        "encoder": encoder.name,
        "counts": dict(counts),
        "outputs": [dataclasses.asdict(item) for item in outputs],
    }


@functools.lru_cache(maxsize=1)
def _encoder(tokenizer: Path) -> LineEncoder:
    return line_encoder(Tokenizer.load(tokenizer))


def _sentences(text: str, task: ShardTask) -> list[str]:
    if task.language is None:
        return sentences.lines(text)
    return sentences.split(text, task.language)


def _lengths(lines_D: Ints, tokens_N: Ints) -> tuple[Ints, dict[str, int]]:
    """Put a 0 after the sentences of each document; leave out sentences without tokens.

    Legend: D documents, N lines.
    """
    document_N = np.repeat(np.arange(len(lines_D)), lines_D)
    kept_N = tokens_N > 0
    sentences_D = np.bincount(document_N[kept_N], minlength=len(lines_D))
    ends = np.cumsum(sentences_D)[sentences_D > 0]
    counts = {
        "documents": len(ends),
        "sentences": int(kept_N.sum()),
        "tokens": int(tokens_N.sum()),
        "empty_documents": len(lines_D) - len(ends),
    }
    return np.insert(tokens_N[kept_N], ends, 0), counts


def _batches(documents: Iterable[Document]) -> Iterator[list[Document]]:
    batch: list[Document] = []
    characters = 0
    for document in documents:
        batch.append(document)
        characters += len(document.text)
        if characters >= BATCH_CHARACTERS:
            yield batch
            batch, characters = [], 0
    if batch:
        yield batch
