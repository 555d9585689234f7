import dataclasses
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from tokenizers.pre_tokenizers import ByteLevel

from unmask.pretrain.batches import Batches
from unmask.pretrain.masking.config import MaskingConfig
from unmask.pretrain.masking.masker import Masker
from unmask.tokenizer.build import byte_level_bpe

from .conftest import CPU, EOS, PAD, FakePlan, batches, lengths, masker

KINDS = [
    pytest.param({"balanced": balanced, "pairs": pairs}, id=f"balanced={balanced}, pairs={pairs}")
    for balanced in (False, True)
    for pairs in (False, True)
]


def originals(found):
    """The blocks of micro-batches before they were masked, without padding."""
    blocks = []
    for batch in found:
        ids_BL = batch.ids_BL.clone()
        ids_BL.view(-1)[batch.positions_M] = batch.targets_M
        blocks += [tuple(ids_L[: ids_L.index(EOS) + 1]) for ids_L in ids_BL.tolist()]
    return blocks


def masks(found):
    """What is masked in each block, by its text."""
    places = set()
    for original, batch_row in zip(originals(found), rows(found), strict=True):
        places.add((original, tuple(np.flatnonzero(np.array(batch_row) == 3))))
    return places


def rows(found):
    return [ids_L for batch in found for ids_L in batch.ids_BL.tolist()]


def test_full_blocks_come_in_their_order_whatever_the_micro_batch():
    plan = FakePlan(lengths())
    whole = next(batches(plan, micro_batch=200).after(0, 150))

    for size in (1, 7, 100):
        parts = list(batches(plan, micro_batch=size).after(0, 150))
        assert torch.equal(torch.cat([part.ids_BL for part in parts]), whole.ids_BL)
        assert torch.equal(torch.cat([part.targets_M for part in parts]), whole.targets_M)


@pytest.mark.parametrize("kind", KINDS)
def test_a_step_has_the_same_masked_blocks_whatever_the_micro_batch(kind):
    plan = FakePlan(lengths(), **kind)
    found = [
        {
            number: masks(list(batches(plan, micro_batch=size).step(number)))
            for number in (0, 1, 1000)
        }
        for size in (1, 3, 12)
    ]

    assert found[0] == found[1] == found[2]


@pytest.mark.parametrize("kind", KINDS)
def test_an_epoch_sees_every_block_once_and_the_next_one_masks_anew(kind):
    plan = FakePlan(lengths(), **kind)
    data = batches(plan)

    first, second = (list(data.after(epoch * plan.count, plan.count)) for epoch in (0, 1))

    assert sorted(originals(first)) == sorted(originals(second))
    assert len(set(originals(first))) > 60
    assert originals(first) != originals(second)
    assert len(masks(first) & masks(second)) < 0.1 * plan.count


@pytest.mark.parametrize("kind", KINDS)
def test_steps_follow_each_other_without_a_gap(kind):
    plan = FakePlan(lengths(), **kind)
    data = batches(plan)

    steps = [block for number in range(5) for block in originals(list(data.step(number)))]

    assert sorted(steps) == sorted(originals(list(data.after(0, 5 * data.blocks))))


def test_short_blocks_make_a_step_of_more_blocks_and_as_many_tokens():
    plan = FakePlan(lengths(1000), balanced=True)
    data = batches(plan, batch=50)

    tokens = [sum(batch.tokens for batch in data.step(number)) for number in range(50)]

    assert data.blocks == pytest.approx(50 * 32 / plan.lengths_B.mean(), abs=0.5)
    assert np.mean(tokens) == pytest.approx(50 * 32, rel=0.01)
    assert np.std(tokens) < 0.01 * 50 * 32
    assert batches(FakePlan(lengths(1000)), batch=50).blocks == 50


def test_short_blocks_are_computed_without_the_padding_behind_them():
    plan = FakePlan(np.array([9, 30, 10] * 10, dtype=np.uint32), balanced=True)

    widths = [batch.ids_BL.shape[1] for batch in batches(plan, batch=30).after(0, 30)]

    assert sorted(set(widths)) == [16, 32]
    unbalanced = FakePlan(plan.lengths_B)
    assert {batch.ids_BL.shape for batch in batches(unbalanced).after(0, 4)} == {(4, 32)}


@pytest.mark.parametrize("kind", KINDS)
def test_padding_is_masked_and_its_absence_too(kind):
    short = next(batches(FakePlan(lengths(most=31), **kind)).step(0))
    full = next(batches(FakePlan(np.full(20, 32, dtype=np.uint32), **kind)).step(0))

    assert torch.equal(short.mask_BL, short.ids_BL != 1)
    assert short.tokens == int(short.mask_BL.sum())
    assert full.mask_BL is None
    assert full.tokens == full.ids_BL.numel()


@pytest.mark.parametrize("balanced", [False, True])
def test_pairs_come_with_their_segments_and_whether_one_follows_the_other(balanced):
    plan = FakePlan(lengths(), pairs=True, balanced=balanced)

    for batch in batches(plan, typed=True).step(0):
        followed_B = batch.ids_BL[:, 1] == 4  # as the plan wrote it into the text
        assert torch.equal(batch.follows_B == 0, followed_B)
        assert batch.types_BL.shape == batch.ids_BL.shape
        real_BL = batch.ids_BL != 1
        expected_B = real_BL.sum(1) - real_BL.sum(1) // 2
        assert torch.equal(batch.types_BL.sum(1), expected_B)


def test_a_model_that_does_not_tell_segments_apart_is_fed_no_types():
    """RoBERTa's table of types has one row: a type 1 would be read outside of it."""
    for batch in batches(FakePlan(lengths(), pairs=True), typed=False).step(0):
        assert batch.types_BL is None
        assert batch.follows_B is not None


def test_a_plan_without_pairs_has_no_types_and_no_labels():
    for batch in batches(FakePlan(lengths()), typed=True).step(0):
        assert batch.types_BL is None
        assert batch.follows_B is None


@pytest.mark.parametrize(
    "flags",
    [
        {},
        {"count": "bernoulli"},
        {"unit": "word"},
        {"spans": "geometric"},
        {"rule": "fairseq"},
        {"rule": "fairseq", "spans": "fixed", "span_length": 3},
        {"replacement": "frequency"},
    ],
    ids=str,
)
def test_a_block_is_masked_the_same_however_wide_it_is_computed(flags):
    tokens = ["<s>", "<pad>", "</s>", "<unk>", *sorted(ByteLevel.alphabet()), "<mask>"]
    tokenizer = byte_level_bpe({token: id_ for id_, token in enumerate(tokens)}, [])
    shard = SimpleNamespace(ids_T=np.arange(4, 44, dtype=np.uint16))
    real = Masker.of(MaskingConfig(**flags), 0, tokenizer, [shard])
    lengths_B = lengths(60, most=24)
    data = batches(FakePlan(lengths_B, balanced=True), micro_batch=1)
    wide = batches(FakePlan(lengths_B, length=64, balanced=True), micro_batch=500)

    found = [
        {
            tuple(id_ for id_ in row if id_ != PAD)
            for row in rows(dataclasses.replace(each, masker=real).after(0, 60))
        }
        for each in (data, wide)
    ]

    assert len(found[0]) > 20
    assert found[0] == found[1]


def test_held_out_blocks_are_a_fair_sample_of_short_and_long_ones():
    plan = FakePlan(lengths(3000), balanced=True)
    data = Batches.of(plan, masker, 0, batch=16, micro_batch=4, typed=False, device=CPU)

    tokens = sum(batch.tokens for batch in data.after(0, data.blocks))

    assert tokens == pytest.approx(16 * 32, rel=0.03)
