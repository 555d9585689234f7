import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from unmask.core.errors import UserError
from unmask.tokenizer.batch import by_length, pad
from unmask.tokenizer.build import word_piece

BERT = word_piece(
    {token: id_ for id_, token in enumerate(["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "a"])},
    lowercase=True,
)


def test_padding_is_on_the_right_to_the_longest():
    batch = pad(BERT.encode(["a", "a a"], ["a", "a"]), pad_id=0)

    assert batch.ids_BL.tolist() == [[2, 5, 3, 5, 3, 0], [2, 5, 5, 3, 5, 3]]
    assert batch.mask_BL.tolist() == [[True] * 5 + [False], [True] * 6]
    assert batch.types_BL.tolist() == [[0, 0, 0, 1, 1, 0], [0, 0, 0, 0, 1, 1]]
    assert (batch.ids_BL.dtype, batch.mask_BL.dtype) == (np.int64, np.bool_)


def test_padding_goes_on_to_a_multiple():
    batch = pad(BERT.encode(["a a a"]), pad_id=7, multiple_of=4)

    assert batch.ids_BL.tolist() == [[2, 5, 5, 5, 3, 7, 7, 7]]


def test_no_encodings_make_an_empty_batch():
    assert pad([], pad_id=0).ids_BL.shape == (0, 0)


def test_similar_lengths_share_a_batch_and_the_longest_comes_first():
    assert by_length([2, 9, 3, 8, 2], 18) == [[1, 3], [2, 0, 4]]


@given(st.lists(st.integers(0, 40)), st.integers(48, 100), st.integers(1, 8))
def test_every_index_comes_once_and_no_batch_is_over_its_tokens(lengths, tokens, multiple):
    batches = by_length(lengths, tokens, multiple_of=multiple)

    assert sorted(index for batch in batches for index in batch) == list(range(len(lengths)))
    for batch in batches:
        longest = max(lengths[index] for index in batch)
        assert len(batch) * -(-longest // multiple) * multiple <= tokens


def test_a_text_longer_than_a_batch_is_refused():
    with pytest.raises(UserError, match="a text of 12 tokens does not fit into a batch of 10"):
        by_length([3, 9], 10, multiple_of=4)
