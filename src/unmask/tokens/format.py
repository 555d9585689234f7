"""The bytes of a token shard.

A shard is three files that share a stem such as `train-00000`:

    train-00000.ids         uint16 (vocabularies up to 65,536) or uint32, little-endian,
                            the text's tokens and nothing else: no special tokens
    train-00000.sentences   the length of each sentence in tokens
    train-00000.documents   the length of each document in sentences

Lengths are written one byte each; the byte 255 means "255, and the next byte adds to it". So the
ends are one cumulative sum away, and a sentence of ordinary length costs one byte. A document is
never split over two shards.
"""

import numpy as np
import numpy.typing as npt

Ints = npt.NDArray[np.int64]

MORE = 255


def dtype(vocabulary: int) -> np.dtype[np.uint16] | np.dtype[np.uint32]:
    """The smallest integer type that holds every id."""
    return np.dtype("<u2") if vocabulary <= 1 << 16 else np.dtype("<u4")


def pack_lengths(lengths: Ints) -> bytes:
    """Write lengths, one byte each, 255 for every full 255 before the rest."""
    full, rest = np.divmod(lengths, MORE)
    codes = np.full(int(full.sum()) + len(lengths), MORE, dtype=np.uint8)
    codes[np.cumsum(full + 1) - 1] = rest
    return codes.tobytes()


def unpack_ends(packed: bytes) -> Ints:
    """Read the running ends of the lengths that `pack_lengths` wrote."""
    codes = np.frombuffer(packed, dtype=np.uint8)
    return np.cumsum(codes, dtype=np.int64)[codes < MORE]
