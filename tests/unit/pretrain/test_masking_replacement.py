from types import SimpleNamespace

import numpy as np
import pytest
import torch

from unmask.core.errors import UserError
from unmask.core.hashing import draw
from unmask.pretrain.masking import replace
from unmask.pretrain.masking.config import MaskingConfig
from unmask.pretrain.masking.masker import Masker
from unmask.pretrain.masking.weights import cumulated, weighted

VOCABULARY = 50
TOKENIZER = SimpleNamespace(
    vocabulary=VOCABULARY,
    special_ids=(0, 1, 2, 3, 49),
    mask_id=49,
    pad_id=1,
    filler_ids=(),
    family="roberta",
)


def shards():
    """Ids 4 ... 48, id n about n times as often as id 1 would be; and some special ones."""
    dice = np.random.default_rng(0)
    ids = dice.choice(np.arange(45) + 4, 20_000, p=np.arange(1, 46) / np.arange(1, 46).sum())
    return [
        SimpleNamespace(ids_T=ids[:7000].astype(np.uint16)),
        SimpleNamespace(ids_T=np.zeros(0, np.uint16)),
        SimpleNamespace(ids_T=np.concatenate((ids[7000:], [0, 2, 49])).astype(np.uint16)),
    ]


def drawn(**flags):
    config = MaskingConfig(masked=0.0, random=1.0, **flags)
    ids_BL = np.full((4000, 40), 7)
    masked = Masker.of(config, 0, TOKENIZER, shards())(
        ids_BL, np.zeros(4000, np.int64), np.arange(4000)
    )
    return np.bincount(masked.ids_BL.ravel()[masked.positions_M], minlength=VOCABULARY)


@pytest.mark.parametrize("chunk", [1, 1000, 1 << 22])
def test_every_id_of_the_shards_is_counted(chunk, monkeypatch):
    monkeypatch.setattr(replace, "CHUNK", max(chunk, 50))

    counts_V = replace.frequencies(shards(), VOCABULARY)

    everything = np.concatenate([shard.ids_T for shard in shards()])
    assert counts_V.tolist() == [(everything == id_).sum() for id_ in range(VOCABULARY)]


def test_ids_of_a_memory_map_are_counted(tmp_path):
    np.arange(40, dtype="<u2").tofile(tmp_path / "ids")
    shard = SimpleNamespace(ids_T=np.memmap(tmp_path / "ids", "<u2", mode="r"))

    assert replace.frequencies([shard, shard], 40).tolist() == [2] * 40


def test_random_tokens_follow_the_frequencies_of_the_text():
    found_V = drawn(replacement="frequency")

    share_V = replace.frequencies(shards(), VOCABULARY)
    share_V[list(TOKENIZER.special_ids)] = 0
    expected_V = found_V.sum() * share_V / share_V.sum()
    ordinary = expected_V > 0

    statistic = ((found_V - expected_V)[ordinary] ** 2 / expected_V[ordinary]).sum()
    assert found_V[list(TOKENIZER.special_ids)].sum() == 0
    assert ordinary.sum() == 45
    assert statistic < 78.8  # 44 degrees of freedom, one in a thousand


def test_by_default_all_tokens_are_as_likely():
    found_V = drawn()[4:49]

    expected = found_V.sum() / 45
    assert ((found_V - expected) ** 2 / expected).sum() < 78.8


def test_a_split_without_ordinary_tokens_has_no_frequencies():
    empty = [SimpleNamespace(ids_T=np.zeros(5, np.uint16))]

    with pytest.raises(UserError, match="the training split has no ordinary token"):
        Masker.of(MaskingConfig(replacement="frequency"), 0, TOKENIZER, empty)


def test_shards_are_read_only_for_frequencies():
    Masker.of(MaskingConfig(), 0, TOKENIZER, [None])


def test_numbers_are_drawn_by_weight_and_alike_by_numpy_and_torch():
    cumulative = cumulated(np.array([0, 3, 0, 0, 1, 2, 0]))
    bits = draw(5, np.arange(60_000))

    numbers = weighted(bits, cumulative)
    by_torch = weighted(torch.from_numpy(bits), cumulative)

    counts = np.bincount(numbers, minlength=7)
    assert (numbers == by_torch.numpy()).all()
    assert counts[[0, 2, 3, 6]].tolist() == [0] * 4
    assert np.abs(counts[[1, 4, 5]] / 60_000 - [3 / 6, 1 / 6, 2 / 6]).max() < 0.01


def test_fillers_of_a_vocabulary_are_drawn_by_no_rule_but_fairseqs():
    padded = SimpleNamespace(**vars(TOKENIZER) | {"filler_ids": (47, 48)})

    drawable = {
        rule: set(Masker.of(MaskingConfig(rule=rule), 0, padded, []).random_tokens.ids_N.tolist())
        for rule in ("unmask", "fairseq")
    }

    assert drawable["unmask"] == set(range(4, 47))
    assert drawable["fairseq"] == set(range(4, 50))
