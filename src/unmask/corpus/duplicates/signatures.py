"""MinHash signatures of documents, and the bands of them that near duplicates have in common.

Broder 1997 for the signatures; the banding is chapter 3 of Leskovec, Rajaraman and Ullman's Mining
of Massive Datasets. The signatures and the choice of bands are datasketch's (the extra `dedup`).

N documents, K values of a signature, G 5-grams, W words.
"""

import dataclasses
import functools
import hashlib
import itertools
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

import numpy as np
import numpy.typing as npt

from unmask.core import files, locations
from unmask.core.errors import UserError
from unmask.corpus import store
from unmask.corpus.duplicates import hashes, pairs
from unmask.corpus.quality.words import words
from unmask.corpus.work import Part, Work

GRAM = 5
"""Words in a row that make one member of the set by which documents are compared."""

VALUES = 256
"""Of a signature: the similarity is estimated with a standard deviation of at most 0.031."""

_WEIGHTS = (0.05, 0.95)
"""What a false candidate and a missed one cost: a candidate is still verified."""

_GRAMS_AT_ONCE = 1 << 12
_DOCUMENTS_AT_ONCE = 1 << 10
_MULTIPLIER = np.uint64(0x9E3779B97F4A7C15)

Values = npt.NDArray[np.uint32]


@dataclasses.dataclass(frozen=True, slots=True)
class Banding:
    """How a signature is cut: so many bands of so many values each."""

    bands: int
    values: int


@dataclasses.dataclass(frozen=True, slots=True)
class SignatureTask:
    """The parts of one slice."""

    parts: tuple[Part, ...]
    banding: Banding
    duplicates: tuple[Path, ...]
    """The files that name exact duplicates, which need no signature."""
    work: Work


def banding(threshold: float) -> Banding:
    """Choose the bands for a similarity threshold; UserError if the extra is missing."""
    try:
        from datasketch import MinHashLSH
    except ImportError:
        raise UserError(
            "--near-duplicates needs datasketch", "pip install 'unmask[dedup]'"
        ) from None
    index = MinHashLSH(threshold=threshold, num_perm=VALUES, weights=_WEIGHTS)
    return Banding(index.b, index.r)


def sign(task: SignatureTask) -> dict[str, Any]:
    """Write the signatures of the documents of a slice, and their band hashes."""
    for part in task.parts:
        repeated = set((pairs.of_part(task.duplicates, part).one_P - part.first).tolist())
        with files.atomic(task.work.signatures(part)) as file:
            _sign_part(part, task, repeated, file)
    return {}


def _sign_part(part: Part, task: SignatureTask, repeated: set[int], file: IO[bytes]) -> None:
    digests, rows = bytearray(), []
    documents = enumerate(store.read_part(task.work.texts(part)))
    while chunk := list(itertools.islice(documents, _DOCUMENTS_AT_ONCE)):
        signature_NK = np.zeros((len(chunk), VALUES), np.uint32)
        for place, (row, document) in enumerate(chunk):
            if row not in repeated:
                signature_NK[place] = signature(document.text)
                digests += _band_digests(signature_NK[place], task.banding)
                rows.append(row)
        file.write(signature_NK.tobytes())
    row_N = np.repeat(np.array(rows, np.uint32), task.banding.bands)
    hashes.write(task.work.bands(part), digests, row_N)


def signature(text: str) -> Values:
    """Give the MinHash signature of the set of a text's 5-grams."""
    minhash = _empty().copy()
    for grams in _chunks(gram_hashes(text)):
        minhash.update_batch(grams)
    signature_K: Values = minhash.hashvalues
    return signature_K


def gram_hashes(text: str) -> npt.NDArray[np.uint32]:
    """Hash each 5-gram of words, whatever their case; a text of fewer words is one gram."""
    found = words(text.lower())
    hash_W = np.array([zlib.crc32(word.encode()) for word in found], np.uint64)
    size = min(GRAM, len(found))
    hash_G = np.zeros(len(found) - size + 1, np.uint64)
    for offset in range(size):
        hash_G = (hash_G + hash_W[offset : offset + len(hash_G)]) * _MULTIPLIER
        hash_G ^= hash_G >> np.uint64(29)
    return (hash_G >> np.uint64(32)).astype(np.uint32)


class Signatures:
    """The signatures of all documents, mapped into memory as they are asked for."""

    def __init__(self, parts: tuple[Part, ...], work: Work) -> None:
        self._parts, self._work = parts, work
        self._first_P = np.array([part.first for part in parts], np.int64)
        self._opened = functools.lru_cache(64)(self._open)

    def at(self, position_N: npt.NDArray[np.int64]) -> Values:
        """Give the signatures (N, K) of the documents at these positions."""
        signature_NK = np.empty((len(position_N), VALUES), np.uint32)
        of_N = np.searchsorted(self._first_P, position_N, side="right") - 1
        for number in np.unique(of_N).tolist():
            mine_N = of_N == number
            rows = position_N[mine_N] - self._first_P[number]
            signature_NK[mine_N] = self._opened(number)[rows]
        return signature_NK

    def _open(self, number: int) -> Values:
        path = locations.local(self._work.signatures(self._parts[number]))
        return np.memmap(path, np.uint32, "r").reshape(-1, VALUES)


def _band_digests(signature_K: Values, banding: Banding) -> bytes:
    size = signature_K.itemsize * banding.values
    values = signature_K.tobytes()
    return b"".join(
        hashlib.blake2b(
            values[band * size : (band + 1) * size],
            digest_size=hashes.HASH_BYTES,
            salt=band.to_bytes(2, "little"),
        ).digest()
        for band in range(banding.bands)
    )


def _chunks(hash_G: npt.NDArray[np.uint32]) -> Iterator[list[int]]:
    for start in range(0, len(hash_G), _GRAMS_AT_ONCE):
        yield hash_G[start : start + _GRAMS_AT_ONCE].tolist()


@functools.cache
def _empty() -> Any:  # noqa: ANN401 (datasketch is an extra and may be absent)
    from datasketch import MinHash

    return MinHash(num_perm=VALUES, hashfunc=_as_it_is)


def _as_it_is(value: int) -> int:
    return value
