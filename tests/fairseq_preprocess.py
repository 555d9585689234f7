"""What fairseq-preprocess writes, from the description of its formats.

Texts become GPT-2's numbers by `encoder.json` and `vocab.bpe` (tokenizers), and those ids by
`dict.txt`, with `</s>` at the end; labels are numbered by their frequency in train, in a dictionary
that is filled up to eight.
"""

import collections
import struct

import numpy as np
from tokenizers import ByteLevelBPETokenizer

CODES = {"u1": 1, "i1": 2, "i2": 3, "i4": 4, "i8": 5, "f8": 7, "u2": 8, "u4": 9, "u8": 10}
FIRST, END = 4, 2
"""The id of a dictionary's first line, and that of `</s>`."""


def write(stem, items, kind="u2"):
    """Write items (lists of numbers) as STEM.idx and STEM.bin."""
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


def preprocess(source, out, splits):
    """Write splits, {name: (rows of one text or two, labels)}; the labels in fairseq's order.

    `source` is a folder with the three files of a vocabulary.
    """
    bpe = ByteLevelBPETokenizer(str(source / "encoder.json"), str(source / "vocab.bpe"))
    dictionary = (source / "dict.txt").read_text(encoding="utf-8")
    names = [line.split()[0] for line in dictionary.splitlines()]
    id_of = {name: id_ for id_, name in enumerate(names, FIRST)}
    counted = collections.Counter(splits["train"][1]).most_common()
    order = [label for label, _ in counted]
    for split, (rows, labels) in splits.items():
        for place, column in enumerate(zip(*rows, strict=True)):
            encoded = bpe.encode_batch([text.strip() for text in column])
            items = [[*(id_of[str(id_)] for id_ in one.ids), END] for one in encoded]
            write(out / f"input{place}" / split, items)
            (out / f"input{place}" / "dict.txt").write_text(dictionary, encoding="utf-8")
        write(out / "label" / split, [[FIRST + order.index(label), END] for label in labels])
    lines = [f"{label} {count}\n" for label, count in counted]
    lines += [f"madeupword{number:04} 0\n" for number in range(-(len(lines) + FIRST) % 8)]
    (out / "label" / "dict.txt").write_text("".join(lines), encoding="utf-8")
    return order
