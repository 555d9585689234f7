"""Rows of logits come in the order of the sequences, whatever the batches are."""

import numpy as np
import pytest

from unmask.finetune.sequences import Sequences
from unmask.infer import sequences as under_test
from unmask.infer.sequences import by_sequence, by_token, padded

PAD = 9


class Echo:
    """A backend whose logits say what it was given: the ids, or their sum and number."""

    name = "echo"

    def __init__(self, *, by_token):
        self._by_token = by_token
        self.batches = []

    def logits(self, batch):
        self.batches.append(batch)
        ids_BL = np.where(batch.mask_BL, batch.ids_BL, 1000)
        if self._by_token:
            return np.stack([ids_BL, batch.types_BL], axis=-1).astype(np.float32)
        total_B = (batch.ids_BL * batch.mask_BL).sum(1)
        return np.stack([total_B, batch.mask_BL.sum(1)], axis=-1).astype(np.float32)


@pytest.fixture
def many(monkeypatch):
    """Forty random sequences of 1 to 12 tokens, of which a batch holds some."""
    monkeypatch.setattr(under_test, "TOKENS_PER_BATCH", 40)
    dice = np.random.default_rng(0)
    ids = [dice.integers(10, 99, dice.integers(1, 13)).tolist() for _ in range(40)]
    types = [[token % 2 for token in one] for one in ids]
    return ids, Sequences.of(ids, types)


def test_a_row_for_each_sequence_in_their_order(many):
    ids, sequences = many
    backend = Echo(by_token=False)

    found = by_sequence(backend, sequences, PAD)

    assert found.tolist() == [[sum(one), len(one)] for one in ids]
    assert 1 < len(backend.batches) < len(ids)
    assert all(batch.ids_BL.size <= 40 for batch in backend.batches)


def test_a_row_for_each_token_end_to_end_and_none_for_padding(many):
    ids, sequences = many

    found = by_token(Echo(by_token=True), sequences, PAD)

    assert found[:, 0].tolist() == [token for one in ids for token in one]
    assert found[:, 1].tolist() == [token % 2 for one in ids for token in one]


def test_a_batch_is_padded_on_the_right():
    sequences = Sequences.of([[1, 2, 3], [4], [5, 6]], [[0, 1, 1], [1], [0, 1]])

    batch = padded(sequences, np.array([2, 0]), PAD)

    assert batch.ids_BL.tolist() == [[5, 6, PAD], [1, 2, 3]]
    assert batch.mask_BL.tolist() == [[True, True, False], [True, True, True]]
    assert batch.types_BL.tolist() == [[0, 1, 0], [0, 1, 1]]
