import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from unmask.tokens import format as shards


@given(st.lists(st.integers(0, 2000)))
def test_lengths_survive_packing(lengths):
    packed = shards.pack_lengths(np.array(lengths, dtype=np.int64))

    assert shards.unpack_ends(packed).tolist() == np.cumsum(lengths, dtype=np.int64).tolist()


def test_an_ordinary_sentence_costs_one_byte():
    packed = shards.pack_lengths(np.array([12, 254, 255, 256]))

    assert len(packed) == 1 + 1 + 2 + 2


def test_vocabularies_up_to_65536_take_two_bytes_a_token():
    assert shards.dtype(65_536).itemsize == 2
    assert shards.dtype(65_537).itemsize == 4
