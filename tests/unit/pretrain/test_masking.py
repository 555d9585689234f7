"""The default: an exact number of single tokens, new in each epoch."""

from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from unmask.core.hashing import LARGEST, draw
from unmask.pretrain.masking import bulk, choose, units
from unmask.pretrain.masking.config import MaskingConfig
from unmask.pretrain.masking.masker import Masker

VOCABULARY, MASK = 1000, 999
SPECIAL = (0, 1, 2, 3, MASK)
TOKENIZER = SimpleNamespace(
    vocabulary=VOCABULARY,
    special_ids=SPECIAL,
    mask_id=MASK,
    pad_id=1,
    filler_ids=(),
    family="roberta",
)


def masker(seed=0, **settings_):
    return Masker.of(MaskingConfig(**settings_), seed, TOKENIZER, [])


def blocks(count=64, length=100, seed=0):
    ids_BL = np.random.default_rng(seed).integers(4, 999, (count, length))
    ids_BL[:, 0] = 0
    ids_BL[:, 50] = 2
    ids_BL[:, 90:] = 1
    return ids_BL


def run(ids_BL, seed=0, epoch=0, first=0, **settings_):
    numbers_B = np.arange(first, first + len(ids_BL))
    return masker(seed, **settings_)(ids_BL, np.full(len(ids_BL), epoch), numbers_B)


def test_the_share_of_masked_positions_is_exact_in_every_block():
    masked = run(blocks())

    rows = np.bincount(masked.positions_M // 100, minlength=64)

    assert set(rows.tolist()) == {13}  # 15 % of 88 maskable positions is 13.2


@settings(deadline=None)
@given(st.integers(1, 60))
def test_the_count_is_the_rounded_share_and_at_least_one(length):
    masked = run(np.full((1, length), 7))

    assert len(masked.positions_M) == max(1, int(length * 0.15 + 0.5))


def test_special_tokens_are_never_masked_and_never_drawn():
    ids_BL = blocks(500)
    masked = run(ids_BL)

    changed_BL = masked.ids_BL != ids_BL
    special_BL = np.isin(ids_BL, SPECIAL)
    drawn = masked.ids_BL[changed_BL & (masked.ids_BL != MASK)]

    assert not (changed_BL & special_BL).any()
    assert not np.isin(masked.targets_M, SPECIAL).any()
    assert len(drawn) > 100
    assert not np.isin(drawn, SPECIAL).any()


def test_a_block_of_special_tokens_alone_is_left_alone():
    masked = run(np.full((2, 8), 2))

    assert len(masked.positions_M) == 0


def test_no_blocks_give_no_masks():
    masked = run(np.zeros((0, 8), np.int64))

    assert masked.ids_BL.shape == (0, 8)
    assert len(masked.positions_M) == len(masked.targets_M) == 0


def test_eighty_ten_ten_within_statistical_bounds():
    ids_BL = blocks(4000)
    masked = run(ids_BL)
    now_M = masked.ids_BL.ravel()[masked.positions_M]
    count = len(now_M)

    became_mask = (now_M == MASK).mean()
    stayed = (now_M == masked.targets_M).mean()

    def bound(share):
        return 4.5 * np.sqrt(share * (1 - share) / count)

    assert abs(became_mask - 0.8) < bound(0.8)
    # a random token hits the original one time in 995
    assert abs(stayed - (0.1 + 0.1 / 995)) < bound(0.1)


def test_random_tokens_and_positions_are_drawn_evenly():
    masked = run(blocks(6000, seed=1), random=1.0, masked=0.0)
    drawn = masked.ids_BL.ravel()[masked.positions_M]

    tokens = np.bincount(drawn, minlength=VOCABULARY)[4:MASK]
    places = np.bincount(masked.positions_M % 100, minlength=100)
    maskable = np.r_[1:50, 51:90]

    assert abs(tokens.std() / np.sqrt(tokens.mean()) - 1) < 0.15
    assert abs(places[maskable].std() / np.sqrt(places[maskable].mean() * 0.85) - 1) < 0.3


@settings(max_examples=25, deadline=None)
@given(st.lists(st.integers(0, 63), min_size=1, max_size=20, unique=True), st.integers(0, 3))
def test_masks_do_not_depend_on_the_batch_a_block_is_in(chosen, epoch):
    """Nor, then, on workers or ranks, which only share out blocks."""
    ids_BL = blocks()
    everything = run(ids_BL, epoch=epoch)
    index_B = np.array(chosen)

    some = masker()(ids_BL[index_B], np.full(len(index_B), epoch), index_B)

    assert (some.ids_BL == everything.ids_BL[index_B]).all()


def test_a_batch_of_several_passes_is_like_several_batches(monkeypatch):
    ids_BL = blocks()
    expected = run(ids_BL)
    monkeypatch.setattr("unmask.pretrain.masking.masker.AT_ONCE", 700)

    masked = run(ids_BL)

    assert (masked.ids_BL == expected.ids_BL).all()
    assert (masked.positions_M == expected.positions_M).all()
    assert (masked.targets_M == expected.targets_M).all()


def test_masks_differ_by_epoch_seed_and_block():
    ids_BL = blocks()
    reference = run(ids_BL).ids_BL

    for other in (run(ids_BL, epoch=1), run(ids_BL, seed=1), run(ids_BL, first=1)):
        assert (other.ids_BL != reference).any(axis=1).all()


def test_static_masks_are_those_of_the_first_epoch_for_ever():
    ids_BL = blocks()

    for epoch in (0, 1, 7):
        masked = run(ids_BL, epoch=epoch, schedule="static")
        assert (masked.ids_BL == run(ids_BL).ids_BL).all()


@pytest.mark.parametrize(("flags", "copies"), [({"copies": 3}, 3), ({}, 10)])
def test_copies_come_again_after_so_many_epochs(flags, copies):
    ids_BL = blocks()
    sets = [run(ids_BL, epoch=epoch, schedule="copies", **flags).ids_BL for epoch in range(14)]

    for epoch, masked_BL in enumerate(sets):
        assert (masked_BL == run(ids_BL, epoch=epoch % copies).ids_BL).all()


def test_targets_are_what_stood_there_and_the_input_stays():
    ids_BL = blocks()
    masked = run(ids_BL)

    restored_BL = masked.ids_BL.copy()
    restored_BL.ravel()[masked.positions_M] = masked.targets_M

    assert (restored_BL == blocks()).all()
    assert (ids_BL == blocks()).all()
    assert (np.diff(masked.positions_M) > 0).all()


@pytest.mark.parametrize("dtype", [np.uint16, np.int32, np.uint32])
def test_small_integers_are_masked_as_they_are(dtype):
    ids_BL = blocks()

    masked = run(ids_BL.astype(dtype))

    assert masked.ids_BL.dtype == dtype
    assert (masked.ids_BL == run(ids_BL).ids_BL).all()


@settings(max_examples=60, deadline=None)
@given(
    st.integers(1, 40),
    st.integers(1, 130),
    st.floats(0.01, 0.99),
    st.floats(0, 1),
    st.integers(0, 2**62),
)
def test_the_fast_way_chooses_what_the_plain_one_does(rows, length, share, special, seed):
    dice = np.random.default_rng(seed)
    spared_BL = dice.random((rows, length)) < special
    key_B = dice.integers(-(2**63), 2**63, rows)

    fast = bulk.positions(spared_BL, key_B, choose.budgets(length, share), share)

    hash_BL = np.where(spared_BL, LARGEST, draw(key_B[:, None], np.arange(length)))
    for row, hash_L in enumerate(hash_BL):
        maskable = int((~spared_BL[row]).sum())
        count = min(maskable, max(1, int(np.floor(maskable * share + 0.5))))
        expected = np.sort(np.argsort(hash_L, kind="stable")[:count])
        assert (fast[fast // length == row] % length).tolist() == expected.tolist()


def test_hashes_that_the_fast_way_cannot_tell_apart_still_give_the_exact_count(monkeypatch):
    def few_values(x, spare):
        x &= np.uint64(3 << 62)

    def few_draws(key, index):
        return draw(key, index) & -(1 << 62)

    monkeypatch.setattr(bulk, "mix", few_values)
    monkeypatch.setattr(bulk, "draw", few_draws)
    spared_BL = np.zeros((5, 40), np.bool_)
    key_B = np.arange(5)

    found = bulk.positions(spared_BL, key_B, choose.budgets(40, 0.15), 0.15)

    hash_BL = few_draws(key_B[:, None], np.arange(40))
    expected_BL = choose.exact(units.tokens(~spared_BL), hash_BL, 0.15)
    assert np.bincount(found // 40).tolist() == [6] * 5
    assert found.tolist() == np.flatnonzero(expected_BL).tolist()


def test_masks_are_the_same_in_every_version():
    """A run that is resumed after an upgrade has to go on with the same masks."""
    masked = masker()(np.arange(4, 44)[None], np.array([2]), np.array([5]))

    assert masked.positions_M.tolist() == [5, 15, 16, 21, 24, 34]
    assert masked.ids_BL.ravel()[masked.positions_M].tolist() == [999, 999, 718, 999, 978, 999]
