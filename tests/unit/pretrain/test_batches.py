import numpy as np
import torch

from unmask.pretrain.batches import Batches
from unmask.pretrain.config import MaskingConfig
from unmask.pretrain.masking import Masker
from unmask.tokens.plans.full_sentences import FullSentences, SpecialIds
from unmask.tokens.read import Shard

MASK = 99


def batches(seed=0, sentences=200):
    dice = np.random.default_rng(0)
    lengths = dice.integers(3, 14, sentences)
    shard = Shard(
        dice.integers(4, MASK, lengths.sum()).astype(np.uint16),
        np.cumsum(lengths),
        np.arange(10, sentences + 1, 10),
    )
    plan = FullSentences([shard], 16, SpecialIds(bos=0, eos=2, pad=1))
    masker = Masker.of(
        MaskingConfig(), seed, vocabulary=100, special_ids=(0, 1, 2, 3, MASK), mask_id=MASK
    )
    return Batches(plan, masker, seed, torch.device("cpu"))


def test_a_position_gives_the_same_block_in_every_batch_size():
    data = batches()
    whole = data.at(0, 300)

    for size in (1, 7, 100):
        parts = [data.at(first, min(size, 300 - first)) for first in range(0, 300, size)]
        assert torch.equal(torch.cat([part.ids_BL for part in parts]), whole.ids_BL)
        assert torch.equal(torch.cat([part.targets_M for part in parts]), whole.targets_M)


def test_an_epoch_sees_every_block_once_and_the_next_one_masks_anew():
    data = batches()
    count = data.plan.count

    first, second = data.at(0, count), data.at(count, count)
    originals = [restored(epoch) for epoch in (first, second)]

    assert sorted(originals[0]) == sorted(originals[1])
    assert originals[0] != originals[1]
    masks = [
        {
            (row, (ids == MASK).nonzero().flatten().tolist().__str__())
            for row, ids in zip(rows, epoch.ids_BL, strict=True)
        }
        for rows, epoch in zip(originals, (first, second), strict=True)
    ]
    assert len(masks[0] & masks[1]) < 0.3 * count


def restored(batch):
    ids_BL = batch.ids_BL.clone()
    ids_BL.view(-1)[batch.positions_M] = batch.targets_M
    return [tuple(row) for row in ids_BL.tolist()]


def test_padding_is_masked_and_its_absence_too():
    data = batches()

    batch = data.at(0, 8)

    assert torch.equal(batch.mask_BL, batch.ids_BL != 1)
    assert batch.tokens == int(batch.mask_BL.sum())
    full = [n for n in range(data.plan.count) if data.at(n, 1).tokens == 16]
    assert data.at(full[0], 1).mask_BL is None
