import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from unmask.pretrain import cut


@given(st.lists(st.integers(1, 30), max_size=60), st.integers(1, 9))
def test_blocks_of_like_length_are_computed_together(lengths, micro_batch):
    """30, the full length, is no multiple of 8: no part is wider."""
    lengths_N = np.array(lengths, dtype=np.uint32)

    parts = list(cut.by_length(lengths_N, micro_batch, 30))

    places = [place for part in parts for place in part.index_P.tolist()]
    assert sorted(places) == list(range(len(lengths)))
    for part in parts:
        longest = lengths_N[part.index_P].max()
        assert part.width >= longest
        assert part.width < longest + 8
        assert part.width % 8 == 0 or part.width == 30
        assert part.width * len(part.index_P) <= micro_batch * 30
    for part in parts[:-1]:
        assert part.width * (len(part.index_P) + 1) > micro_batch * 30
    assert [part.width for part in parts] == sorted((part.width for part in parts), reverse=True)


def test_hardly_any_padding_is_computed_where_blocks_are_short():
    dice = np.random.default_rng(0)
    lengths_N = np.clip(dice.lognormal(3, 0.7, 5000).astype(np.int64) + 2, 3, 512)

    parts = list(cut.by_length(lengths_N, 16, 512))

    places = sum(part.width * len(part.index_P) for part in parts)
    assert lengths_N.sum() / (len(lengths_N) * 512) < 0.06
    assert lengths_N.sum() / places > 0.8


def test_blocks_of_full_length_stay_in_their_order():
    parts = list(cut.in_order(7, 3, 512))

    assert [part.index_P.tolist() for part in parts] == [[0, 1, 2], [3, 4, 5], [6]]
    assert {part.width for part in parts} == {512}


@pytest.mark.parametrize(
    ("full", "length", "lengths", "blocks"),
    [(8, 32, [32] * 5, 8), (8, 32, [16, 16, 48], 10), (2, 10, [8], 3), (1, 10, [100], 1)],
)
def test_a_step_has_as_many_blocks_as_hold_the_tokens_of_full_ones(full, length, lengths, blocks):
    """2 x 10 tokens in blocks of 8 are two and a half blocks, rounded up."""
    assert cut.blocks_worth(full, length, np.array(lengths, dtype=np.uint32)) == blocks
