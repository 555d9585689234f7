"""Sorted files of 128-bit hashes, and equal hashes in many of them found out of core.

Each file is sorted by hash, so the hashes of one bucket (a range of values) lie together in it and
are found by bisection. Buckets are as many as needed to hold one in memory, whatever the corpus.
N hashes.
"""

import math
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from unmask.core import files, locations

BUCKET_HASHES = 1 << 21
"""Some 100 MB in memory while a bucket is sorted."""

HASH_BYTES = 16
_RECORD_BYTES = HASH_BYTES + 4

Ints = npt.NDArray[Any]


class Hashes(NamedTuple):
    """Hashes as their upper and lower 64 bits, and which document each is of."""

    high_N: Ints
    low_N: Ints
    row_N: Ints


def write(path: Path, digests: bytes | bytearray, row_N: Ints) -> None:
    """Sort hashes (16 bytes each, one after another) and write them; no file if there are none.

    File layout: upper halves (8 bytes each), lower halves, rows (4 bytes each), all little-endian.
    """
    if not digests:
        return
    halves_N2 = np.frombuffer(bytes(digests), ">u8").reshape(-1, 2)
    order_N = np.lexsort((row_N, halves_N2[:, 1], halves_N2[:, 0]))
    with files.atomic(path) as file:
        for half in (0, 1):
            file.write(halves_N2[order_N, half].astype("<u8").tobytes())
        file.write(row_N[order_N].astype("<u4").tobytes())


def read(path: Path) -> Hashes:
    """Map a file of hashes into memory."""
    path = locations.local(path)
    count = path.stat().st_size // _RECORD_BYTES
    raw = np.memmap(path, np.uint8, "r")
    return Hashes(
        raw[: 8 * count].view("<u8"),
        raw[8 * count : 16 * count].view("<u8"),
        raw[16 * count :].view("<u4"),
    )


def buckets(hashes: int) -> int:
    """Tell into how many buckets so many hashes are cut: a function of their number alone."""
    return max(1, math.ceil(hashes / BUCKET_HASHES))


def bucket(found: Iterable[tuple[Path, int]], number: int, of: int) -> Hashes:
    """Gather one bucket from files, each given with the position of its row 0.

    Rows come as positions in the corpus; sorted by hash, and by position where that is equal.
    """
    pieces = []
    for path, first in found:
        hashes = read(path)
        inside = _range(hashes.high_N, number, of)
        row_N = hashes.row_N[inside].astype(np.int64) + first
        pieces.append(Hashes(hashes.high_N[inside], hashes.low_N[inside], row_N))
    together = Hashes(*map(np.concatenate, zip(*pieces, strict=True)))
    order_N = np.lexsort(together[::-1])
    return Hashes(*(column_N[order_N] for column_N in together))


def later_ones(hashes: Hashes) -> tuple[Ints, Ints]:
    """Give the rows whose hash occurred before, and beside each the row where it occurred first."""
    again_N = np.concatenate([[False], _as_the_one_before(hashes)])
    first_N = np.maximum.accumulate(np.where(again_N, 0, np.arange(len(again_N))))
    return hashes.row_N[again_N], hashes.row_N[first_N[again_N]]


def repeated(hashes: Hashes) -> Iterator[Ints]:
    """Yield the rows of each hash that occurs more than once, in their order."""
    same_N = _as_the_one_before(hashes)
    edges_R2 = np.flatnonzero(np.diff(same_N, prepend=False, append=False)).reshape(-1, 2)
    for start, stop in edges_R2:
        yield hashes.row_N[start : stop + 1]


def _as_the_one_before(hashes: Hashes) -> npt.NDArray[np.bool_]:
    mask_N: npt.NDArray[np.bool_] = (hashes.high_N[1:] == hashes.high_N[:-1]) & (
        hashes.low_N[1:] == hashes.low_N[:-1]
    )
    return mask_N


def _range(high_N: Ints, number: int, of: int) -> slice:
    """Find the hashes of a bucket, which is one of `of` equal ranges of the upper half."""
    inner = [((number + end) << 64) // of for end in (0, 1) if 0 < number + end < of]
    found = np.searchsorted(high_N, np.array(inner, np.uint64)).tolist()
    start = found.pop(0) if number else 0
    return slice(start, found.pop() if found else None)
