import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from unmask.tokens import format as shards


@given(st.lists(st.integers(0, 2000)))
def test_lengths_survive_packing(lengths):
    packed = shards.pack_lengths(np.array(lengths, dtype=np.int64))
    units = shards.unpack(np.frombuffer(packed, np.uint8))

    assert units.tokens_U.tolist() == lengths
    assert units.byte_U.tolist() == np.cumsum([n // 255 + 1 for n in lengths]).tolist()


def test_an_ordinary_sentence_costs_one_byte():
    packed = shards.pack_lengths(np.array([12, 254, 255, 256, 0]))

    assert len(packed) == 1 + 1 + 2 + 2 + 1


def test_vocabularies_up_to_65536_take_two_bytes_a_token():
    assert shards.dtype(65_536).itemsize == 2
    assert shards.dtype(65_537).itemsize == 4
