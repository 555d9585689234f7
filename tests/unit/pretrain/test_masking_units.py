"""Whole words and spans, chosen exactly or one by one, by numpy and by torch."""

from types import SimpleNamespace

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from unmask.core.hashing import draw, stream
from unmask.pretrain.masking import choose, spans
from unmask.pretrain.masking.config import MaskingConfig
from unmask.pretrain.masking.masker import Masker
from unmask.pretrain.masking.units import Units

VOCABULARY, MASK = 1000, 999
SPECIAL = (0, 1, 2, 3, MASK)
# every third token begins with a space
TOKENIZER = SimpleNamespace(
    vocabulary=VOCABULARY,
    special_ids=SPECIAL,
    filler_ids=(),
    mask_id=MASK,
    pad_id=1,
    family="roberta",
    token=lambda id_: f"Ġ{id_}" if id_ % 3 == 0 else f"{id_}",
)
SHARDS = [SimpleNamespace(ids_T=(np.arange(5000) ** 2 % 900 + 4).astype(np.uint16))]
SETTINGS = {
    "words": {"unit": "word"},
    "words, each by its own": {"unit": "word", "count": "bernoulli"},
    "tokens, each by its own": {"count": "bernoulli"},
    "tokens by frequency": {"replacement": "frequency"},
    "fixed spans": {"spans": "fixed", "span_length": 3},
    "geometric spans of words": {"spans": "geometric", "unit": "word"},
    "normal spans": {"spans": "normal", "span_length": 3, "span_spread": 1.5},
    "spans, each by its own": {"spans": "geometric", "count": "bernoulli"},
    "fairseq": {"rule": "fairseq"},
    "fairseq's words": {"rule": "fairseq", "unit": "word"},
    "fairseq's spans": {"rule": "fairseq", "spans": "fixed", "span_length": 4},
    "fairseq's normal spans of words": {
        "rule": "fairseq",
        "unit": "word",
        "spans": "normal",
        "span_length": 3,
        "span_spread": 2.0,
        "replacement": "frequency",
    },
}
EVERY_SETTING = pytest.mark.parametrize("flags", SETTINGS.values(), ids=SETTINGS)


def masker(**flags):
    return Masker.of(MaskingConfig(**flags), 0, TOKENIZER, SHARDS)


def blocks(count=64, length=100, seed=0):
    ids_BL = np.random.default_rng(seed).integers(4, 999, (count, length))
    ids_BL[:, 0] = 0
    ids_BL[:, 50] = 2
    ids_BL[:, 90:] = 1
    return ids_BL


def run(ids_BL, **flags):
    return masker(**flags)(ids_BL, np.zeros(len(ids_BL), np.int64), np.arange(len(ids_BL)))


def words_of(ids_L):
    """The places of each word of a block, told as the manual does."""
    words = []
    for place, id_ in enumerate(ids_L.tolist()):
        if id_ in SPECIAL:
            continue
        if id_ % 3 == 0 or ids_L[place - 1] in SPECIAL:
            words.append([])
        words[-1].append(place)
    return words


@EVERY_SETTING
def test_torch_makes_the_masks_that_numpy_makes(flags):
    ids_BL = blocks()
    epoch_B, block_B = np.arange(64) % 3, np.arange(64) * 1_000_003

    ours = masker(**flags)(ids_BL, epoch_B, block_B)
    theirs = masker(**flags)(*map(torch.from_numpy, (ids_BL, epoch_B, block_B)))

    assert len(ours.positions_M) > 300
    assert (ours.ids_BL == theirs.ids_BL.numpy()).all()
    assert (ours.positions_M == theirs.positions_M.numpy()).all()
    assert (ours.targets_M == theirs.targets_M.numpy()).all()


def test_torch_makes_the_same_masks_by_default():
    ids_BL, none_B, block_B = blocks(), np.zeros(64, np.int64), np.arange(64)

    theirs = masker()(*map(torch.from_numpy, (ids_BL, none_B, block_B)))
    turned = masker()(
        torch.from_numpy(ids_BL).T.contiguous().T, torch.from_numpy(none_B), torch.arange(64)
    )

    assert (run(ids_BL).ids_BL == theirs.ids_BL.numpy()).all()
    assert torch.equal(turned.ids_BL, theirs.ids_BL)


@EVERY_SETTING
@settings(max_examples=8, deadline=None)
@given(order=st.permutations(range(12)), first=st.integers(0, 11))
def test_masks_belong_to_blocks_whatever_the_batch(flags, order, first):
    ids_BL, index_B = blocks(), np.array(order)[first:]
    everything = run(ids_BL, **flags)

    some = masker(**flags)(ids_BL[index_B], np.zeros(len(index_B), np.int64), index_B)

    assert (some.ids_BL == everything.ids_BL[index_B]).all()


@EVERY_SETTING
def test_targets_are_what_stood_there(flags):
    ids_BL = blocks()
    masked = run(ids_BL, **flags)

    restored_BL = masked.ids_BL.copy()
    restored_BL.ravel()[masked.positions_M] = masked.targets_M

    assert (restored_BL == ids_BL).all()
    assert (np.diff(masked.positions_M) > 0).all()


@EVERY_SETTING
def test_blocks_of_special_tokens_or_of_nothing_are_no_trouble(flags):
    for ids_BL in (np.full((3, 8), 1), np.zeros((0, 8), np.int64)):
        masked = run(ids_BL, **flags)

        assert (masked.ids_BL == ids_BL).all()
        assert len(masked.positions_M) == 0


@pytest.mark.parametrize("count", ["exact", "bernoulli"])
@pytest.mark.parametrize("spans", [None, "geometric"])
def test_whole_words_are_masked_or_none_of_their_tokens(count, spans):
    ids_BL = blocks(300)
    masked = run(ids_BL, unit="word", count=count, spans=spans)
    chosen_BL = np.zeros(ids_BL.shape, bool)
    chosen_BL.ravel()[masked.positions_M] = True

    assert not chosen_BL[np.isin(ids_BL, SPECIAL)].any()
    for ids_L, now_L, chosen_L in zip(ids_BL, masked.ids_BL, chosen_BL, strict=True):
        for word in words_of(ids_L):
            assert len(set(chosen_L[word].tolist())) == 1
            # the word has one fate, but a random token may be the original by chance
            assert len({(id_ == MASK) for id_ in now_L[word].tolist()}) == 1


def test_the_tokens_of_a_word_that_becomes_random_are_drawn_one_by_one():
    ids_BL = np.full((500, 12), 5)  # no spaces: one word a block
    ids_BL[:, 0] = 0

    masked = run(ids_BL, unit="word", masked=0.0, random=1.0)

    assert len(masked.positions_M) == 500 * 11
    drawn_BL = masked.ids_BL[:, 1:]
    assert all(len(set(row)) > 5 for row in drawn_BL.tolist())


def test_words_are_taken_by_hash_and_one_that_is_too_long_is_passed_over():
    ids_BL = blocks(200)
    masked = run(ids_BL, unit="word")

    for row, ids_L in enumerate(ids_BL):
        words = words_of(ids_L)
        by_hash = sorted(words, key=lambda word: hashes(row)[word[0]])
        budget, expected = 13, []  # 15 % of 88
        for word in by_hash:
            if len(expected) + len(word) <= budget:
                expected += word
        found = masked.positions_M[masked.positions_M // 100 == row] % 100
        assert found.tolist() == sorted(expected)


def hashes(block):
    """What the positions of a block of the first epoch draw."""
    key_B = draw(draw(stream("mask", 0), np.zeros(1, np.int64)), np.array([block]))
    return draw(key_B, np.arange(100))


def test_a_block_without_a_word_that_fits_masks_one_all_the_same():
    ids_BL = np.array([[0, 5, 5, 5, 6, 5, 5, 2]])  # two words of three tokens, a budget of one

    masked = run(ids_BL, unit="word")

    assert masked.positions_M.tolist() in ([1, 2, 3], [4, 5, 6])


@settings(max_examples=200, deadline=None)
@given(
    st.lists(st.lists(st.integers(0, 9), min_size=12, max_size=12), min_size=1, max_size=4),
    st.integers(0, 30),
)
def test_sizes_are_taken_greedily_while_they_fit(sizes, budget):
    size_BL = np.array(sizes)

    taken_BL = choose.fitting(size_BL, np.full(len(sizes), budget))

    for row, size_L in enumerate(sizes):
        left = budget
        for place, size in enumerate(size_L):
            fits = 0 < size <= left
            left -= size * fits
            assert taken_BL[row, place] == fits


def test_by_bernoulli_every_token_has_its_own_chance():
    ids_BL = np.full((2000, 100), 7)
    masked = run(ids_BL, count="bernoulli")

    rows = np.bincount(masked.positions_M // 100, minlength=2000)
    places = np.bincount(masked.positions_M % 100, minlength=100)

    assert abs(rows.mean() - 15) < 0.4
    assert abs(rows.var() / (100 * 0.15 * 0.85) - 1) < 0.15
    assert abs(places.std() / np.sqrt(2000 * 0.15 * 0.85) - 1) < 0.3


def lengths_drawn(config, blocks_=400, length=200):
    """The lengths of the spans into which blocks without special tokens are cut."""
    member_BL = np.ones((blocks_, length), bool)
    key_B = np.random.default_rng(0).integers(-(2**63), 2**63, blocks_)
    cut = spans.cut(Units(member_BL, member_BL), key_B, spans.lengths(config))
    found = []
    for head_L in cut.head_BL:
        # the first may have begun before the block and the last is cut off by its end
        found += np.diff(np.flatnonzero(head_L))[1:].tolist()
    return np.array(found)


def chi_square(found, share_N):
    """The statistic over lengths expected at least five times, and their number."""
    expected_N = len(found) * np.array(share_N)
    counts_N = np.bincount(found, minlength=len(share_N))[: len(share_N)]
    often_N = expected_N >= 5
    off_N = (counts_N - expected_N)[often_N] ** 2 / expected_N[often_N]
    return off_N.sum(), int(often_N.sum())


def test_fixed_spans_have_one_length():
    found = lengths_drawn(MaskingConfig(spans="fixed", span_length=4))

    assert set(found.tolist()) == {4}


def test_geometric_spans_are_those_of_spanbert():
    found = lengths_drawn(MaskingConfig(spans="geometric"))

    share_N = np.array([0] + [0.2 * 0.8**n for n in range(10)])
    statistic, values = chi_square(found, share_N / share_N.sum())

    assert abs(found.mean() - 3.8) < 0.1  # as the paper says (section 3.1)
    assert values == 10
    assert statistic < 27.9  # 9 degrees of freedom, one in a thousand


def test_normal_spans_are_rounded_normal_numbers_without_zero():
    found = lengths_drawn(
        MaskingConfig(spans="normal", span_length=3, span_spread=1.5), blocks_=800
    )

    rounded = np.round(np.random.default_rng(1).normal(3, 1.5, 1_000_000)).astype(int)
    share_N = np.bincount(rounded[rounded > 0]) / (rounded > 0).sum()
    statistic, values = chi_square(found, share_N)

    assert values >= 7
    assert statistic < 30  # 8 degrees of freedom, and a reference that is drawn, too


def test_spans_end_at_special_tokens_and_lie_anywhere():
    ids_BL = blocks(3000)
    masked = run(ids_BL, spans="fixed", span_length=5, masked=1.0, random=0.0)

    chosen_BL = masked.ids_BL == MASK
    places_L = chosen_BL.sum(axis=0)
    heads = set((np.flatnonzero(chosen_BL[:, 1:20] & ~chosen_BL[:, :19]) % 19).tolist())

    assert places_L[[0, 50, *range(90, 100)]].sum() == 0
    assert heads == set(range(19))
    inside = places_L[np.r_[5:45, 56:85]]
    assert inside.max() / inside.min() < 1.4


PINNED = {
    "words": {15: 999, 16: 999, 17: 999, 34: 999, 35: 999, 36: 999},
    "words, each by its own": {6: 999, 7: 999, 8: 999, 15: 999, 16: 999, 17: 999},
    "tokens, each by its own": {6: 999, 15: 999, 16: 718, 24: 978},
    "tokens by frequency": {5: 999, 15: 999, 16: 704, 21: 999, 24: 188, 34: 999},
    "fixed spans": {16: 718, 17: 644, 18: 216, 23: 999, 24: 999, 25: 999},
    "geometric spans of words": {34: 999, 35: 999, 36: 999, 37: 999, 38: 999},
    "normal spans": {1: 4, 14: 999, 15: 999, 16: 999, 17: 999, 18: 999},
    "spans, each by its own": {},
    "fairseq": {5: 999, 15: 999, 16: 999, 21: 999, 24: 999, 34: 999},
    "fairseq's words": {
        3: 999,
        4: 999,
        5: 999,
        15: 999,
        16: 999,
        17: 999,
        34: 999,
        35: 999,
        36: 999,
    },
    "fairseq's spans": {16: 999, 17: 20, 18: 999, 19: 999, 24: 999, 25: 36, 26: 999, 27: 869},
    "fairseq's normal spans of words": {
        15: 999,
        16: 999,
        17: 999,
        18: 999,
        19: 999,
        20: 999,
        21: 999,
        22: 999,
        23: 999,
        24: 999,
    },
}


@pytest.mark.parametrize(("name", "changes"), PINNED.items(), ids=PINNED)
def test_masks_are_the_same_in_every_version(name, changes):
    """A run that is resumed after an upgrade has to go on with the same masks."""
    ids_BL = np.array([[0, *range(4, 22), 2, *range(31, 50), 2]])

    masked = masker(**SETTINGS[name])(ids_BL, np.array([2]), np.array([5]))

    found = zip(masked.positions_M, masked.ids_BL.ravel()[masked.positions_M], strict=True)
    assert {int(place): int(id_) for place, id_ in found} == changes
