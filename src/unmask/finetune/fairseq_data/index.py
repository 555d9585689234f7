"""fairseq's memory-mapped datasets, `.idx` and `.bin` (fairseq/data/indexed_dataset.py).

An index is 9 bytes of magic, the version (u64), a code of the numbers' type (u8), the number N of
items (u64), N sizes (i32, in numbers) and N addresses (i64, in bytes), all little-endian. The
`.bin` holds the numbers of all items, end to end.

Legend: N items, T numbers of all of them.
"""

import dataclasses
import struct
from pathlib import Path

import numpy as np
import numpy.typing as npt

from unmask.core.errors import UserError

Ints = npt.NDArray[np.int64]

MAGIC = b"MMIDIDX\0\0"
VERSION = 1
HEADER = struct.Struct("<9sQBQ")
TYPES = {1: "u1", 2: "i1", 3: "<i2", 4: "<i4", 5: "<i8", 8: "<u2", 9: "<u4", 10: "<u8"}
"""Codes of whole numbers; 6 and 7 are floating-point ones."""
OTHERS = {b"TNTIDX\0\0": "cached", b"HUFFIDX\0": "huffman"}
"""How indexes of fairseq's other kinds begin."""
ITEM_BYTES = 4 + 8

AGAIN = "write it again with fairseq-preprocess, or copy it again"


@dataclasses.dataclass(frozen=True, slots=True)
class Items:
    """The numbers of all items, end to end, and how many each has."""

    values_T: Ints
    sizes_N: Ints

    def __len__(self) -> int:
        return len(self.sizes_N)


def read(stem: Path) -> Items:
    """Read `STEM.idx` and `STEM.bin`; UserError for what is damaged or of another kind."""
    index_path, data_path = (stem.with_name(f"{stem.name}{end}") for end in (".idx", ".bin"))
    kind, sizes_N = _index(index_path)
    used = int(sizes_N.sum()) * kind.itemsize
    stored = len(data := _bytes(data_path))
    if stored != used:
        raise _damaged(data_path, f"{stored:,} bytes where {index_path.name} tells of {used:,}")
    values_T = np.frombuffer(data, kind)
    if len(values_T) and int(values_T.max()) > np.iinfo(np.int64).max:
        raise _damaged(data_path, f"it holds the number {int(values_T.max())}")
    return Items(values_T.astype(np.int64), sizes_N)


def _index(path: Path) -> tuple[np.dtype[np.integer], Ints]:
    data = _bytes(path)
    if data[:8] in OTHERS:
        raise UserError(
            f"{path}: of the kind {OTHERS[data[:8]]!r}; mmap is read",
            "run fairseq-preprocess with --dataset-impl mmap",
        )
    if len(data) < HEADER.size or not data.startswith(MAGIC):
        raise _damaged(path, f"it does not begin as an index of fairseq ({data[:9]!r})")
    _, version, code, count = HEADER.unpack_from(data)
    if version != VERSION:
        raise UserError(f"{path}: of version {version}; {VERSION} is read", AGAIN)
    if code not in TYPES:
        raise UserError(f"{path}: holds numbers of the type {code}, which are no tokens", AGAIN)
    expected = HEADER.size + count * ITEM_BYTES
    if len(data) != expected:
        raise _damaged(path, f"{len(data):,} bytes where {count:,} items take {expected:,}")
    kind = np.dtype(TYPES[code])
    sizes_N = np.frombuffer(data, "<i4", count, HEADER.size).astype(np.int64)
    address_N = np.frombuffer(data, "<i8", count, HEADER.size + 4 * count)
    wrong_N = (sizes_N < 0) | (address_N != (sizes_N.cumsum() - sizes_N) * kind.itemsize)
    if wrong_N.any():
        first = int(wrong_N.argmax())
        raise _damaged(
            path, f"item {first + 1} has {sizes_N[first]} numbers at byte {address_N[first]}"
        )
    return kind, sizes_N


def _bytes(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except FileNotFoundError:
        raise UserError(
            f"{path}: no such file",
            "a dataset of fairseq-preprocess --dataset-impl mmap is an .idx and a .bin file",
        ) from None


def _damaged(path: Path, why: str) -> UserError:
    return UserError(f"{path}: damaged: {why}", AGAIN)
