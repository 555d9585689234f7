import dataclasses
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from tokenizers.pre_tokenizers import ByteLevel

from unmask.core.errors import UserError
from unmask.pretrain import batches as module
from unmask.pretrain.batches import Batches, MaskedBatch
from unmask.pretrain.masking.config import MaskingConfig
from unmask.pretrain.masking.masker import Masker
from unmask.tokenizer.build import byte_level_bpe
from unmask.tokens import format as shards
from unmask.tokens.plan_names import PLAN_NAMES
from unmask.tokens.plans.blocks import SpecialIds
from unmask.tokens.plans.choose import choose
from unmask.tokens.read import Shard

from .conftest import BOS, EOS, MASK, PAD, FakePlan, batches, lengths, masker, step

KINDS = [
    pytest.param({"balanced": balanced, "pairs": pairs}, id=f"balanced={balanced}, pairs={pairs}")
    for balanced in (False, True)
    for pairs in (False, True)
]


def originals(found):
    """The blocks of micro-batches before they were masked, without padding."""
    blocks = []
    for batch in found:
        ids_BL, row_M = batch.ids_BL.clone(), batch.asked_M // batch.places_BN.shape[1]
        ids_BL[row_M, batch.places_BN.flatten()[batch.asked_M]] = batch.targets_M
        blocks += [tuple(ids_L[: ids_L.index(EOS) + 1]) for ids_L in ids_BL.tolist()]
    return blocks


def targets(found):
    """What is to be found in each block, padding of its micro-batch left out."""
    places = []
    for batch in found:
        row_M = (batch.asked_M // batch.places_BN.shape[1]).tolist()
        asked = batch.places_BN.flatten()[batch.asked_M].tolist()
        all_of = list(zip(row_M, asked, batch.targets_M.tolist(), strict=True))
        places += [[one[1:] for one in all_of if one[0] == row] for row in range(len(batch.ids_BL))]
    return places


def masks(found):
    """What is masked in each block, by its text."""
    places = set()
    for original, batch_row in zip(originals(found), rows(found), strict=True):
        places.add((original, tuple(np.flatnonzero(np.array(batch_row) == 3))))
    return places


def rows(found):
    return [ids_L for batch in found for ids_L in batch.ids_BL.tolist()]


def masker_of(config):
    """A real masker of a tokenizer of bytes."""
    tokens = ["<s>", "<pad>", "</s>", "<unk>", *sorted(ByteLevel.alphabet()), "<mask>"]
    tokenizer = byte_level_bpe({token: id_ for id_, token in enumerate(tokens)}, [])
    shard = SimpleNamespace(ids_T=np.arange(4, 44, dtype=np.uint16))
    return Masker.of(config, 0, tokenizer, [shard])


def shard_of(documents):
    """Documents are lists of sentences, sentences are lists of ids."""
    counts = [n for document in documents for n in (*map(len, document), 0)]
    ids = [id_ for document in documents for sentence in document for id_ in sentence]
    codes = np.frombuffer(shards.pack_lengths(np.array(counts)), dtype=np.uint8)
    return Shard(np.array(ids, dtype=np.uint16), codes)


def test_full_blocks_come_in_their_order_whatever_the_micro_batch():
    plan = FakePlan(np.full(120, 32, dtype=np.uint32))
    whole = next(batches(plan, micro_batch=200).after(0, 150))

    for size in (1, 7, 100):
        parts = list(batches(plan, micro_batch=size).after(0, 150))
        assert torch.equal(torch.cat([part.ids_BL for part in parts]), whole.ids_BL)
        assert torch.equal(torch.cat([part.targets_M for part in parts]), whole.targets_M)


@pytest.mark.parametrize("kind", KINDS)
def test_a_step_has_the_same_masked_blocks_whatever_the_micro_batch(kind):
    plan = FakePlan(lengths(), **kind)
    found = [
        {number: masks(step(batches(plan, micro_batch=size), number)) for number in (0, 1, 1000)}
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

    steps = [block for number in range(5) for block in originals(step(data, number))]

    assert sorted(steps) == sorted(originals(list(data.after(0, 5 * data.blocks))))


def test_short_blocks_make_a_step_of_more_blocks_and_as_many_tokens():
    plan = FakePlan(lengths(1000), balanced=True)
    data = batches(plan, batch=50)

    tokens = [sum(batch.tokens for batch in step(data, number)) for number in range(50)]

    assert data.blocks == pytest.approx(50 * 32 / plan.lengths_B.mean(), abs=0.5)
    assert np.mean(tokens) == pytest.approx(50 * 32, rel=0.01)
    assert np.std(tokens) < 0.01 * 50 * 32
    assert batches(FakePlan(lengths(1000)), batch=50).blocks == 50


def test_short_blocks_are_computed_without_the_padding_behind_them():
    plan = FakePlan(np.array([9, 30, 10] * 10, dtype=np.uint32), balanced=True)

    widths = [batch.ids_BL.shape[1] for batch in batches(plan, batch=30).after(0, 30)]

    assert sorted(set(widths)) == [16, 32]
    mixed = batches(FakePlan(plan.lengths_B), micro_batch=2).after(0, 30)
    assert [batch.ids_BL.shape[1] for batch in mixed] == [32] * 5 + [16] * 5


@pytest.mark.parametrize("kind", KINDS)
def test_padding_is_masked_and_its_absence_too(kind):
    short = step(batches(FakePlan(lengths(most=31), **kind)))[0]
    full = step(batches(FakePlan(np.full(20, 32, dtype=np.uint32), **kind)))[0]

    assert torch.equal(short.mask_BL, short.ids_BL != 1)
    assert short.real_T.tolist() == short.mask_BL.flatten().nonzero().flatten().tolist()
    assert short.tokens == int(short.mask_BL.sum())
    assert full.mask_BL is full.real_T is None
    assert full.tokens == full.ids_BL.numel()


@pytest.mark.parametrize("balanced", [False, True])
def test_pairs_come_with_their_segments_and_whether_one_follows_the_other(balanced):
    plan = FakePlan(lengths(), pairs=True, balanced=balanced)

    for batch in step(batches(plan, typed=True)):
        followed_B = batch.ids_BL[:, 1] == 4  # as the plan wrote it into the text
        assert torch.equal(batch.follows_B == 0, followed_B)
        assert batch.types_BL.shape == batch.ids_BL.shape
        real_BL = batch.ids_BL != 1
        expected_B = real_BL.sum(1) - real_BL.sum(1) // 2
        assert torch.equal(batch.types_BL.sum(1), expected_B)


def test_a_model_that_does_not_tell_segments_apart_is_fed_no_types():
    """RoBERTa's table of types has one row: a type 1 would be read outside of it."""
    for batch in step(batches(FakePlan(lengths(), pairs=True), typed=False)):
        assert batch.types_BL is None
        assert batch.follows_B is not None


def test_a_plan_without_pairs_has_no_types_and_no_labels():
    for batch in step(batches(FakePlan(lengths()), typed=True)):
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
    real = masker_of(MaskingConfig(**flags))
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
    data = Batches.of(plan, masker, 0, batch=16, micro_batch=4, typed=False)

    tokens = sum(batch.tokens for batch in data.after(0, data.blocks))

    assert tokens == pytest.approx(16 * 32, rel=0.03)


@pytest.mark.parametrize("kind", KINDS)
def test_masked_places_are_asked_for_in_the_order_of_their_targets(kind):
    """With pairs the first place asked for is <s>; what is left over asks for place 0, in vain."""
    heads = int(kind["pairs"])
    for batch in step(batches(FakePlan(lengths(), **kind))):
        rows_B, asked = batch.ids_BL.tolist(), set(batch.asked_M.tolist())
        masked = [
            (row, at) for row, ids in enumerate(rows_B) for at, id_ in enumerate(ids) if id_ == MASK
        ]
        count_B = np.bincount([row for row, _ in masked], minlength=len(rows_B))

        assert batch.asked_M.tolist() == sorted(asked)
        assert len(asked) == len(batch.targets_M) == len(masked)
        row_M, nth_M = np.divmod(batch.asked_M.numpy(), batch.places_BN.shape[1])
        assert list(zip(row_M, batch.places_BN[row_M, nth_M].tolist(), strict=True)) == masked
        assert batch.places_BN.shape[1] == max(1, heads + count_B.max())
        spare = np.delete(batch.places_BN.flatten().numpy(), batch.asked_M.numpy())
        assert not spare.any()
        assert (nth_M >= heads).all()


def test_nothing_masked_asks_for_one_place_in_vain():
    empty = np.zeros(0, np.int64)

    def masks_nothing(ids_BL, epoch_B, block_B):
        return SimpleNamespace(ids_BL=ids_BL, positions_M=empty, targets_M=empty)

    data = dataclasses.replace(batches(FakePlan(lengths())), masker=masks_nothing)

    for batch in step(data):
        assert batch.places_BN.tolist() == [[0]] * len(batch.ids_BL)
        assert batch.asked_M.shape == batch.targets_M.shape == (0,)


def by_number(found):
    """Every tensor of every micro-batch, by the number it has in the step."""
    return {
        batch.number: {
            field.name: getattr(batch, field.name) for field in dataclasses.fields(MaskedBatch)
        }
        for batch in found
    }


def assert_equal(one, other):
    assert one.keys() == other.keys()
    for number, fields in one.items():
        for name, value in fields.items():
            if isinstance(value, torch.Tensor):
                assert torch.equal(value, other[number][name]), (number, name)
            else:
                assert value == other[number][name], (number, name)


def shared(data, number, ranks):
    """The micro-batches of each process."""
    start = number * data.blocks
    return [list(data.after(start, data.blocks, rank=rank, ranks=ranks)) for rank in range(ranks)]


@pytest.mark.parametrize("micro_batch", [1, 2, 3, 12])
@pytest.mark.parametrize("kind", KINDS)
def test_processes_share_the_blocks_and_masks_of_one(kind, micro_batch):
    data = batches(FakePlan(lengths(), **kind), batch=24, micro_batch=micro_batch)
    for number in (0, 3):
        alone = step(data, number)
        for ranks in (2, 4):
            parts = shared(data, number, ranks)
            together = sorted((one for part in parts for one in part), key=lambda one: one.number)

            assert len({len(part) for part in parts}) == 1
            assert [one.number for one in together] == list(range(len(together)))
            assert [one.number % ranks for one in parts[-1]] == [ranks - 1] * len(parts[-1])
            assert sorted(originals(together)) == sorted(originals(alone))
            assert masks(together) == masks(alone)
            if len(alone) % ranks == 0:
                assert_equal(by_number(together), by_number(alone))


@pytest.mark.parametrize("name", PLAN_NAMES)
def test_processes_share_the_steps_of_every_plan(name):
    """Real plans, a real masker: each block comes to one process, with the same masks."""
    dice = np.random.default_rng(1)
    documents = [
        [dice.integers(4, 260, dice.integers(2, 14)).tolist() for _ in range(dice.integers(1, 9))]
        for _ in range(80)
    ]
    plan = choose(name, [shard_of(documents)], 16, SpecialIds(bos=BOS, eos=EOS, pad=PAD))
    real = dataclasses.replace(
        batches(plan, batch=8, micro_batch=2), masker=masker_of(MaskingConfig())
    )
    for number in (0, 1, 30):
        alone = step(real, number)
        blocks = sorted(zip(rows(alone), targets(alone), strict=True))
        for ranks in (1, 2, 4):
            parts = shared(real, number, ranks)
            assert len({len(part) for part in parts}) == 1
            together = [one for part in parts for one in part]
            assert sorted(zip(rows(together), targets(together), strict=True)) == blocks
            if len(alone) % ranks == 0:
                assert_equal(by_number(together), by_number(alone))


def test_what_is_read_at_once_does_not_matter(monkeypatch):
    data = batches(FakePlan(lengths(), balanced=True), batch=24, micro_batch=1)
    whole = by_number(step(data))

    monkeypatch.setattr(module, "PLACES_AT_ONCE", 1)

    assert_equal(by_number(step(data)), whole)


def test_too_few_blocks_for_the_processes_are_refused():
    data = batches(FakePlan(lengths()), batch=3, micro_batch=1)

    with pytest.raises(UserError) as caught:
        list(data.after(0, 3, rank=0, ranks=4))

    assert caught.value.what == "3 blocks cannot be shared by 4 processes"
    assert "--batch" in caught.value.hint


def test_a_batch_moves_to_a_device_whole():
    for kind in ({"pairs": True}, {}):
        before = step(batches(FakePlan(lengths(), **kind), typed=True))[0]
        there = before.to(torch.device("meta"))

        for field in dataclasses.fields(MaskedBatch):
            value, moved = getattr(before, field.name), getattr(there, field.name)
            if isinstance(value, torch.Tensor):
                assert moved.device.type == "meta", field.name
                assert moved.shape == value.shape
            else:
                assert moved == value
