"""An export of one shape answers batches of any."""

import numpy as np
import pytest

from unmask.core.errors import UserError
from unmask.infer.one_shape import OneShape
from unmask.tokenizer.batch import Batch

PAD = 9


class Strict:
    """Takes two rows of five tokens, and says what each token was."""

    name, streams, batch_tokens = "strict", 3, 100

    def __init__(self, *, by_token):
        self._by_token = by_token
        self.seen = []

    def logits(self, batch):
        assert batch.ids_BL.shape == batch.mask_BL.shape == batch.types_BL.shape == (2, 5)
        assert (batch.ids_BL[~batch.mask_BL] == PAD).all()
        self.seen.append(batch)
        ids_BL = (batch.ids_BL * batch.mask_BL).astype(np.float32)
        return ids_BL[..., None] if self._by_token else ids_BL.sum(1, keepdims=True)


def batch(rows, length):
    ids_BL = np.arange(rows * length).reshape(rows, length) + 10
    mask_BL = np.ones((rows, length), bool)
    mask_BL[0, -1] = length == 1
    ids_BL[~mask_BL] = PAD
    return Batch(ids_BL, mask_BL, np.ones_like(ids_BL))


@pytest.mark.parametrize("rows", [1, 2, 3, 4])
@pytest.mark.parametrize("length", [1, 4, 5])
def test_rows_are_filled_up_and_cut_off_again(rows, length):
    given = batch(rows, length)
    right_BL = given.ids_BL * given.mask_BL

    by_row = OneShape(Strict(by_token=False), 2, 5, PAD).logits(given)
    by_token = OneShape(Strict(by_token=True), 2, 5, PAD).logits(given)

    assert by_row[:, 0].tolist() == right_BL.sum(1).tolist()
    assert by_token[..., 0].tolist() == right_BL.tolist()


def test_what_is_longer_than_the_shape_is_refused():
    with pytest.raises(UserError, match="a text of 6 tokens: the export takes 5") as caught:
        OneShape(Strict(by_token=False), 2, 5, PAD).logits(batch(1, 6))

    assert "--max-length" in caught.value.hint


def test_batches_are_made_for_the_shape():
    wrapped = OneShape(Strict(by_token=False), 2, 5, PAD)

    assert (wrapped.batch_tokens, wrapped.streams, wrapped.name) == (10, 3, "strict, 2 x 5")
