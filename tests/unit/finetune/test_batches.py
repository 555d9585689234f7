import numpy as np
import pytest

from unmask.finetune.batches import epoch_batches


def lengths(count):
    return np.random.default_rng(0).integers(5, 200, count)


@pytest.mark.parametrize(("count", "batch"), [(1, 1), (7, 8), (100, 8), (1000, 32), (512, 32)])
def test_every_example_comes_once_an_epoch(count, batch):
    batches = epoch_batches(lengths(count), batch, seed=0, epoch=3)

    assert sorted(np.concatenate(batches).tolist()) == list(range(count))
    assert max(len(index_B) for index_B in batches) <= batch


def test_epochs_and_seeds_differ_and_repeat():
    one, again, later, other = (
        np.concatenate(epoch_batches(lengths(200), 8, seed, epoch))
        for seed, epoch in ((0, 0), (0, 0), (0, 1), (1, 0))
    )

    assert one.tolist() == again.tolist()
    assert one.tolist() != later.tolist()
    assert one.tolist() != other.tolist()


def test_similar_lengths_share_a_batch_and_batches_come_in_random_order():
    lengths_N = lengths(2048)

    batches = epoch_batches(lengths_N, 32, seed=0, epoch=0)

    longest = np.array([lengths_N[index_B].max() for index_B in batches])
    padded = sum(len(index_B) * top for index_B, top in zip(batches, longest, strict=True))
    assert padded < 1.1 * lengths_N.sum()
    assert abs(np.corrcoef(np.arange(len(longest)), longest)[0, 1]) < 0.3
