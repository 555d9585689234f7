import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from unmask.core.errors import UserError
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


@given(st.lists(st.integers(1, 30), min_size=1, max_size=60), st.integers(1, 9), st.integers(1, 8))
def test_every_process_has_as_many_parts_as_the_others(lengths, micro_batch, ranks):
    parts = list(cut.by_length(np.array(lengths, dtype=np.uint32), micro_batch, 30))

    if len(lengths) < ranks * -(-len(parts) // ranks):
        with pytest.raises(UserError, match=f"{len(lengths)} blocks cannot be shared by {ranks}"):
            cut.shared(parts, ranks)
        return
    shared = cut.shared(parts, ranks)

    assert len(shared) % ranks == 0
    assert len(shared) - len(parts) < ranks
    places = [place for part in shared for place in part.index_P.tolist()]
    assert places == [place for part in parts for place in part.index_P.tolist()]
    assert all(len(part.index_P) for part in shared)
    widths = {place: part.width for part in parts for place in part.index_P.tolist()}
    for part in shared:
        assert all(widths[place] == part.width for place in part.index_P.tolist())


def test_what_can_be_shared_as_it_is_stays_as_it_is():
    parts = list(cut.in_order(12, 3, 32))

    for ranks in (1, 2, 4):
        shared = cut.shared(parts, ranks)
        assert [part.index_P.tolist() for part in shared] == [p.index_P.tolist() for p in parts]


def test_the_largest_parts_are_halved():
    parts = cut.shared(list(cut.in_order(9, 4, 32)), 4)

    assert [part.index_P.tolist() for part in parts] == [[0, 1], [2, 3], [4, 5, 6, 7], [8]]


def test_a_process_more_than_there_are_blocks_is_one_too_many():
    assert len(cut.shared(list(cut.in_order(4, 4, 32)), 4)) == 4
    with pytest.raises(UserError) as caught:
        cut.shared(list(cut.in_order(4, 4, 32)), 5)

    assert caught.value.what == "4 blocks cannot be shared by 5 processes"
    assert caught.value.hint == (
        "give a larger --batch, --micro-batch 2 or more, or start fewer processes"
    )


@pytest.mark.parametrize("micro_batch", [2, 3, 16])
def test_two_blocks_at_once_can_be_shared_by_any_number_of_processes(micro_batch):
    for blocks in range(1, 80):
        for ranks in range(1, blocks + 1):
            assert len(cut.shared(list(cut.in_order(blocks, micro_batch, 8)), ranks)) % ranks == 0
