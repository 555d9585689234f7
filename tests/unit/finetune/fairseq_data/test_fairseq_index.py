import random
import struct

import numpy as np
import pytest

from unmask.core.errors import UserError
from unmask.finetune.fairseq_data import index

LARGEST = {"u1": 255, "i1": 127, "i2": 2**15 - 1, "u2": 2**16 - 1, "i4": 2**31 - 1, "u4": 2**32 - 1}
LARGEST |= {"i8": 2**63 - 1, "u8": 2**63 - 1}


def lists(items):
    return [part.tolist() for part in np.split(items.values_T, items.sizes_N.cumsum())[:-1]]


@pytest.mark.parametrize("kind", LARGEST)
def test_what_was_written_is_read_back(tmp_path, write, kind):
    dice = random.Random(kind)
    for number in range(20):
        rows = [
            [dice.randint(0, LARGEST[kind]) for _ in range(dice.choice([0, 1, 2, 30]))]
            for _ in range(dice.choice([0, 1, 40]))
        ]
        stem = tmp_path / f"valid.{number}"
        write(stem, rows, kind)

        items = index.read(stem)

        assert lists(items) == rows
        assert len(items) == len(rows)
        assert items.values_T.dtype == np.int64


def change(path, at, what):
    data = bytearray(path.read_bytes())
    data[at : at + len(what)] = what
    path.write_bytes(data)


@pytest.mark.parametrize(
    ("at", "what", "said"),
    [
        (0, b"x", "train.idx: damaged: it does not begin as an index of fairseq"),
        (0, b"TNTIDX\0\0", "train.idx: of the kind 'cached'; mmap is read"),
        (0, b"HUFFIDX\0\0", "train.idx: of the kind 'huffman'; mmap is read"),
        (9, struct.pack("<Q", 2), "train.idx: of version 2; 1 is read"),
        (17, b"\x07", "train.idx: holds numbers of the type 7, which are no tokens"),
        (17, b"\x63", "train.idx: holds numbers of the type 99"),
        (17, b"\x04", "train.idx: damaged: item 2 has 1 numbers at byte 4"),
        (18, struct.pack("<Q", 4), "train.idx: damaged: 62 bytes where 4 items take 74"),
        (18, struct.pack("<Q", 2**63), "train.idx: damaged: 62 bytes where 9,223,372"),
        (26, struct.pack("<i", -2), "train.idx: damaged: item 1 has -2 numbers at byte 0"),
        (26, struct.pack("<i", 3), "train.idx: damaged: item 2 has 1 numbers at byte 4"),
        (34, struct.pack("<i", 4), "train.bin: damaged: 12 bytes where train.idx tells of 14"),
        (38, struct.pack("<q", 2), "train.idx: damaged: item 1 has 2 numbers at byte 2"),
        (54, struct.pack("<q", 2**40), "train.idx: damaged: item 3 has 3 numbers at byte 1099"),
        (54, struct.pack("<q", -6), "train.idx: damaged: item 3 has 3 numbers at byte -6"),
    ],
)
def test_a_damaged_index_or_one_of_another_kind_says_what_is_wrong(tmp_path, write, at, what, said):
    write(tmp_path / "train", [[5, 2], [2], [7, 8, 2]])
    change(tmp_path / "train.idx", at, what)

    with pytest.raises(UserError) as caught:
        index.read(tmp_path / "train")

    assert said in caught.value.what


@pytest.mark.parametrize("name", ["train.idx", "train.bin"])
def test_no_cut_and_no_growth_goes_unseen(tmp_path, write, name):
    write(tmp_path / "train", [[5, 2], [2], [7, 8, 2]])
    whole = (tmp_path / name).read_bytes()

    for size in range(len(whole)):
        (tmp_path / name).write_bytes(whole[:size])
        with pytest.raises(UserError, match="damaged"):
            index.read(tmp_path / "train")
    (tmp_path / name).write_bytes(whole + b"\0\0")
    with pytest.raises(UserError, match="damaged"):
        index.read(tmp_path / "train")


@pytest.mark.parametrize("name", ["train.idx", "train.bin"])
def test_a_missing_half_is_named(tmp_path, write, name):
    write(tmp_path / "train", [[5, 2]])
    (tmp_path / name).unlink()

    with pytest.raises(UserError, match=f"{name}: no such file"):
        index.read(tmp_path / "train")


def test_a_number_that_no_dictionary_could_have_is_refused(tmp_path, write):
    write(tmp_path / "train", [[2**64 - 1]], "u8")

    with pytest.raises(UserError, match=f"damaged: it holds the number {2**64 - 1}"):
        index.read(tmp_path / "train")
