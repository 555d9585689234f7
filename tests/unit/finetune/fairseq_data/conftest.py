"""A writer of fairseq's memory-mapped datasets, from the description of their format."""

import struct

import numpy as np
import pytest

CODES = {"u1": 1, "i1": 2, "i2": 3, "i4": 4, "i8": 5, "f8": 7, "u2": 8, "u4": 9, "u8": 10}


@pytest.fixture(scope="session")
def write():
    """Writes items (lists of numbers) as STEM.idx and STEM.bin."""

    def write(stem, items, kind="u2"):
        stem.parent.mkdir(parents=True, exist_ok=True)
        index = b"MMIDIDX\x00\x00" + struct.pack("<QBQ", 1, CODES[kind], len(items))
        addresses, address = b"", 0
        for item in items:
            index += struct.pack("<i", len(item))
            addresses += struct.pack("<q", address)
            address += len(item) * np.dtype(kind).itemsize
        data = b"".join(np.array(item, dtype=f"<{kind}").tobytes() for item in items)
        stem.with_name(stem.name + ".idx").write_bytes(index + addresses)
        stem.with_name(stem.name + ".bin").write_bytes(data)

    return write
