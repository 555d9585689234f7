"""Batches of any shape are filled up to few shapes."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from unmask.infer import shapes
from unmask.infer.shapes import Shape
from unmask.tokenizer.batch import Batch

LENGTHS = st.lists(st.integers(1, 512), min_size=1, max_size=400)


def shape_of(lengths):
    return Shape(sum(lengths), len(lengths), max(lengths))


@pytest.mark.parametrize(
    ("shape", "bucket"),
    [
        (Shape(1, 1, 1), Shape(64, 4, 32)),
        (Shape(64, 4, 16), Shape(64, 4, 32)),
        (Shape(64, 64, 1), Shape(64, 64, 32)),
        (Shape(65, 2, 33), Shape(96, 4, 64)),
        (Shape(96, 4, 60), Shape(96, 4, 64)),
        (Shape(97, 4, 60), Shape(128, 6, 64)),
        (Shape(512, 1, 512), Shape(512, 4, 512)),
        (Shape(520, 4, 130), Shape(768, 6, 256)),
        (Shape(8192, 16, 512), Shape(8192, 16, 512)),
        (Shape(8192, 8192, 1), Shape(8192, 8192, 32)),
        (Shape(8193, 17, 512), None),
        (Shape(600, 2, 513), None),
        (Shape(10, 8193, 1), None),
    ],
)
def test_the_least_shape_of_the_grid_that_has_room_is_chosen(shape, bucket):
    assert shape.bucket(512) == bucket


def test_the_widest_bucket_is_the_longest_sequence_of_the_model():
    assert Shape(40, 1, 40).bucket(40).longest == 40
    assert Shape(40, 1, 30).bucket(40).longest == 32
    assert Shape(20, 1, 20).bucket(24).longest == 24
    assert Shape(700, 1, 700).bucket(1024).longest == 1024


@given(LENGTHS)
def test_a_bucket_is_filled_to_the_last_token_and_no_sequence_is_too_long(lengths):
    shape = shape_of(lengths)
    bucket = shape.bucket(512)
    if bucket is None:
        assert shape.tokens > shapes.LARGEST
        return

    filling = shape.filling(bucket)

    assert len(filling) + len(lengths) == bucket.sequences
    assert filling.sum() + sum(lengths) == bucket.tokens
    assert max([*filling, *lengths]) <= bucket.longest
    assert min(filling, default=0) >= 0
    assert filling.max(initial=0) - filling.min(initial=filling.max(initial=0)) <= 1


@given(LENGTHS)
def test_filling_adds_half_at_most_and_a_full_bucket_is_its_own(lengths):
    bucket = shape_of(lengths).bucket(512)

    if bucket is not None:
        assert bucket.tokens <= max(64, 1.5 * sum(lengths))
        assert bucket.bucket(512) == bucket


def test_the_grid_is_small():
    assert shapes.TOKENS[:5] == (64, 96, 128, 192, 256)
    assert shapes.SEQUENCES[:5] == (4, 6, 8, 12, 16)
    assert shapes.TOKENS[-1] == shapes.SEQUENCES[-1] == shapes.LARGEST


def test_padding_is_not_counted():
    mask_BL = np.arange(7) < np.array([[3], [1], [5]])

    assert Shape.of(Batch(np.zeros((3, 7), int), mask_BL, np.zeros((3, 7), int))) == Shape(9, 3, 5)
