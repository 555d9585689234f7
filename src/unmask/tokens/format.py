"""The bytes of a token shard.

A shard is two files that share a stem such as `train-00000`:

    train-00000.ids       uint16 (vocabularies up to 65,536) or uint32, little-endian, the text's
                          tokens and nothing else: no special tokens
    train-00000.lengths   the length of each sentence in tokens, and a 0 after each document

A length is written in one byte; the byte 255 means "255, and the next byte adds to it". So a
sentence of ordinary length costs one byte, its end is one cumulative sum away, and reading may
begin at any sentence. A document is never split over two shards.
"""

import dataclasses

import numpy as np
import numpy.typing as npt

Ints = npt.NDArray[np.int64]
Codes = npt.NDArray[np.uint8]

MORE = 255
IDS = ".ids"
LENGTHS = ".lengths"


def dtype(vocabulary: int) -> np.dtype[np.uint16] | np.dtype[np.uint32]:
    """The smallest integer type that holds every id."""
    return np.dtype("<u2") if vocabulary <= 1 << 16 else np.dtype("<u4")


def pack_lengths(lengths: Ints) -> bytes:
    """Write lengths, one byte each, 255 for every full 255 before the rest; 0 ends a document."""
    full, rest = np.divmod(lengths, MORE)
    codes = np.full(int(full.sum()) + len(lengths), MORE, dtype=np.uint8)
    codes[np.cumsum(full + 1) - 1] = rest
    return codes.tobytes()


@dataclasses.dataclass(frozen=True, slots=True)
class Units:
    """What a run of codes says: sentences, and ends of documents, in their order."""

    tokens_U: Ints
    """The tokens of a sentence; 0 at the end of a document."""
    byte_U: Ints
    """Where the unit's code ends, in bytes from the first code."""


def unpack(codes: Codes) -> Units:
    """Read codes from the beginning of a unit on."""
    byte_U = np.flatnonzero(codes < MORE) + 1
    total = np.cumsum(codes, dtype=np.int64)[byte_U - 1]
    return Units(np.diff(total, prepend=0), byte_U)
