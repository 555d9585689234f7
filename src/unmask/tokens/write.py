"""Documents in, token shards out."""

from collections import Counter
from collections.abc import Iterable, Iterator
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from unmask.core import files
from unmask.core.progress import Bar
from unmask.corpus.store import Document
from unmask.tokenizer.tokenizer import Tokenizer
from unmask.tokens import format as shards

BATCH_CHARACTERS = 1 << 20


class ShardWriter:
    """Collect encoded documents of one split and write a shard whenever enough have come."""

    def __init__(self, folder: Path, split: str, vocabulary: int, shard_tokens: int) -> None:
        self._folder, self._split, self._shard_tokens = folder, split, shard_tokens
        self._dtype = shards.dtype(vocabulary)
        self._shard = 0
        self.counts: Counter[str] = Counter(shards=0, documents=0, sentences=0, tokens=0)
        self._clear()

    def add(self, sentences: list[list[int]]) -> None:
        """Add one document, given as the ids of its sentences."""
        self._ids.append(np.fromiter(chain.from_iterable(sentences), dtype=self._dtype))
        self._sentences += [len(sentence) for sentence in sentences]
        self._documents.append(len(sentences))
        self._tokens += len(self._ids[-1])
        if self._tokens >= self._shard_tokens:
            self.flush()

    def flush(self) -> None:
        """Write what has been collected as one shard; nothing if there is nothing."""
        if not self._documents:
            return
        stem = self._folder / f"{self._split}-{self._shard:05d}"
        with files.atomic(stem.with_suffix(".ids")) as file:
            for ids in self._ids:
                file.write(ids.tobytes())
        for suffix, lengths in ((".sentences", self._sentences), (".documents", self._documents)):
            with files.atomic(stem.with_suffix(suffix)) as file:
                file.write(shards.pack_lengths(np.array(lengths, dtype=np.int64)))
        self.counts.update(
            shards=1,
            documents=len(self._documents),
            sentences=len(self._sentences),
            tokens=self._tokens,
        )
        self._shard += 1
        self._clear()

    def _clear(self) -> None:
        self._ids: list[npt.NDArray[Any]] = []
        self._sentences: list[int] = []
        self._documents: list[int] = []
        self._tokens = 0


def encode(
    documents: Iterable[Document], tokenizer: Tokenizer, progress: Bar
) -> Iterator[list[list[int]]]:
    """Yield each document as the ids of its sentences; a sentence is a line with text in it.

    Each line is encoded by itself and stripped, as fairseq's multiprocessing_bpe_encoder does.
    """
    for batch in _batches(documents):
        lines = [_sentences(document.text) for document in batch]
        encoded = iter(tokenizer.encode_lines(list(chain.from_iterable(lines))))
        for of_document in lines:
            sentences = [ids for ids in (next(encoded) for _ in of_document) if ids]
            if sentences:
                yield sentences
        progress.advance(len(batch))


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


def _sentences(text: str) -> list[str]:
    return [stripped for line in text.split("\n") if (stripped := line.strip())]
