"""Rows of logits come in the order of the sequences, whatever the batches are."""

import threading
import time

import numpy as np
import pytest

from unmask.finetune.sequences import Sequences
from unmask.infer.batches import answered, by_sequence, by_token, padded

PAD = 9


class Echo:
    """A backend whose logits say what it was given: the ids, or their sum and number."""

    name = "echo"
    batch_tokens = 40

    def __init__(self, *, by_token, streams=1):
        self._by_token = by_token
        self.streams = streams
        self.batches = []
        self.at_once = self.most_at_once = 0
        self._lock = threading.Lock()

    def logits(self, batch):
        with self._lock:
            self.batches.append(batch)
            self.at_once += 1
            self.most_at_once = max(self.most_at_once, self.at_once)
        time.sleep(0.001 * (self.streams > 1))
        with self._lock:
            self.at_once -= 1
        ids_BL = np.where(batch.mask_BL, batch.ids_BL, 1000)
        if self._by_token:
            return np.stack([ids_BL, batch.types_BL], axis=-1).astype(np.float32)
        total_B = (batch.ids_BL * batch.mask_BL).sum(1)
        return np.stack([total_B, batch.mask_BL.sum(1)], axis=-1).astype(np.float32)


@pytest.fixture
def many():
    """Forty random sequences of 1 to 12 tokens, of which a batch holds some."""
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


@pytest.mark.parametrize("streams", [2, 5])
def test_several_batches_at_once_change_no_answer(many, streams):
    _, sequences = many
    backend = Echo(by_token=False, streams=streams)

    found = by_sequence(backend, sequences, PAD)

    assert (found == by_sequence(Echo(by_token=False), sequences, PAD)).all()
    assert 1 < backend.most_at_once <= streams


def test_batches_are_gathered_as_they_are_needed(many):
    """A long list is not held as padded arrays all at once."""
    _, sequences = many
    gathered = []

    def gather(group):
        gathered.append(group)
        return padded(sequences, np.array(group), PAD)

    backend = Echo(by_token=False, streams=2)
    answers = answered(backend, sequences.lengths_N.tolist(), gather)
    for number, _ in enumerate(answers, start=1):
        assert len(gathered) <= number + 4
    assert len(gathered) == number


def test_a_sequence_longer_than_a_batch_is_a_batch_by_itself():
    sequences = Sequences.of([[7] * 60, [8]], [[0] * 60, [0]])
    backend = Echo(by_token=False)

    assert by_sequence(backend, sequences, PAD)[:, 0].tolist() == [420, 8]


def test_what_goes_wrong_in_a_stream_is_told(many):
    _, sequences = many
    backend = Echo(by_token=False, streams=2)
    backend.logits = lambda batch: 1 / 0

    with pytest.raises(ZeroDivisionError):
        by_sequence(backend, sequences, PAD)


def test_a_batch_is_padded_on_the_right():
    sequences = Sequences.of([[1, 2, 3], [4], [5, 6]], [[0, 1, 1], [1], [0, 1]])

    batch = padded(sequences, np.array([2, 0]), PAD)

    assert batch.ids_BL.tolist() == [[5, 6, PAD], [1, 2, 3]]
    assert batch.mask_BL.tolist() == [[True, True, False], [True, True, True]]
    assert batch.types_BL.tolist() == [[0, 1, 0], [0, 1, 1]]
