import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from unmask.core.errors import UserError
from unmask.pretrain.config import MaskingConfig
from unmask.pretrain.masking import Masker

VOCABULARY, MASK = 1000, 999
SPECIAL = (0, 1, 2, 3, MASK)


def masker(seed=0, **settings_):
    config = MaskingConfig(**settings_)
    return Masker.of(config, seed, vocabulary=VOCABULARY, special_ids=SPECIAL, mask_id=MASK)


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


@settings(max_examples=25)
@given(st.lists(st.integers(0, 63), min_size=1, max_size=20, unique=True), st.integers(0, 3))
def test_masks_do_not_depend_on_the_batch_a_block_is_in(chosen, epoch):
    """Nor, then, on workers or ranks, which only share out blocks."""
    ids_BL = blocks()
    everything = run(ids_BL, epoch=epoch)
    index_B = np.array(chosen)

    some = masker()(ids_BL[index_B], np.full(len(index_B), epoch), index_B)

    assert (some.ids_BL == everything.ids_BL[index_B]).all()


def test_masks_differ_by_epoch_seed_and_block():
    ids_BL = blocks()
    reference = run(ids_BL).ids_BL

    for other in (run(ids_BL, epoch=1), run(ids_BL, seed=1), run(ids_BL, first=1)):
        assert (other.ids_BL != reference).any(axis=1).all()


def test_targets_are_what_stood_there():
    ids_BL = blocks()
    masked = run(ids_BL)

    restored_BL = masked.ids_BL.copy()
    restored_BL.ravel()[masked.positions_M] = masked.targets_M

    assert (restored_BL == ids_BL).all()
    assert (np.diff(masked.positions_M) > 0).all()


@pytest.mark.parametrize(
    ("flags", "said"),
    [
        ({"probability": 0.0}, "--masking.probability 0.0"),
        ({"masked": 0.8, "random": 0.3}, "sum to more than 1"),
        ({"random": -0.1}, "must not be negative"),
    ],
)
def test_shares_that_make_no_sense_are_refused(flags, said):
    with pytest.raises(UserError, match=said):
        MaskingConfig(**flags)


def test_masks_are_the_same_in_every_version():
    """A run that is resumed after an upgrade has to go on with the same masks."""
    masked = masker()(np.arange(4, 44)[None], np.array([2]), np.array([5]))

    assert masked.positions_M.tolist() == [5, 15, 16, 21, 24, 34]
    assert masked.ids_BL.ravel()[masked.positions_M].tolist() == [999, 999, 718, 999, 978, 999]
