"""Sequences as padded tensors, and back.

B sequences, L length, T real tokens.
"""

import dataclasses

import numpy as np
import torch
from hypothesis import given
from hypothesis import strategies as st

from unmask.finetune.inputs import Inputs, Maker, tokens_of
from unmask.finetune.sequences import Sequences

from .conftest import PAD, sequences

TOKEN = st.integers(PAD + 1, 30_000)
SOME = st.lists(
    st.lists(st.tuples(TOKEN, st.integers(0, 1)), min_size=1, max_size=9), min_size=1, max_size=8
)


def laid(some):
    """Sequences of pairs (id, type)."""
    columns = [list(zip(*one, strict=True)) for one in some]
    return Sequences.of([ids for ids, _ in columns], [types for _, types in columns])


@given(some=SOME, data=st.data(), typed=st.booleans())
def test_without_their_padding_they_are_the_sequences_again(some, data, typed):
    number = st.integers(0, len(some) - 1)
    index_B = np.array(data.draw(st.lists(number, min_size=1, max_size=6)))

    inputs = Maker(PAD, typed=typed)(laid(some), index_B)

    asked = [some[number] for number in index_B]
    longest = max(map(len, asked))
    assert inputs.ids_BL.shape == (len(asked), longest)
    assert inputs.ids_BL.dtype == torch.int64
    for row, one in enumerate(asked):
        ids, types = zip(*one, strict=True)
        rest = longest - len(one)
        assert inputs.ids_BL[row].tolist() == [*ids, *[PAD] * rest]
        if typed:
            assert inputs.types_BL[row].tolist() == [*types, *[0] * rest]
    assert (inputs.types_BL is None) == (not typed)
    lengths = [len(one) for one in asked]
    if min(lengths) == longest:
        assert inputs.mask_BL is inputs.real_T is None
        return
    assert inputs.mask_BL.sum(1).tolist() == lengths
    assert all(inputs.mask_BL[row, :length].all() for row, length in enumerate(lengths))
    real_T = inputs.real_T
    assert real_T.tolist() == sorted(real_T.tolist())
    assert inputs.ids_BL.flatten()[real_T].tolist() == [id_ for one in asked for id_, _ in one]


@given(some=SOME, data=st.data())
def test_the_tokens_of_sequences_come_sequence_after_sequence(some, data):
    number = st.integers(0, len(some) - 1)
    index_B = np.array(data.draw(st.lists(number, min_size=1, max_size=6)))
    found = laid(some)

    token_T = tokens_of(found, index_B)

    assert found.ids_T[token_T].tolist() == [id_ for n in index_B for id_, _ in some[n]]


def test_a_token_with_the_id_of_padding_is_no_padding():
    """A text may hold it; only the length of a sequence tells where padding begins."""
    inputs = Maker(PAD, typed=False)(
        Sequences.of([[0, PAD, 2], [0, 2]], [[0] * 3, [0] * 2]), np.r_[0, 1]
    )

    assert inputs.mask_BL.tolist() == [[True] * 3, [True, True, False]]
    assert inputs.real_T.tolist() == [0, 1, 2, 3, 4]


def test_on_a_device_they_are_the_same_and_nothing_is_made_of_what_is_not_there(monkeypatch):
    """Stands for a card: what is moved is noted, and comes back."""
    moved = []
    monkeypatch.setattr(
        "unmask.finetune.inputs._moved", lambda tensor, device: moved.append(tensor) or tensor
    )
    padded, full = (
        Maker(PAD, typed=False)(sequences(6), np.array(index)) for index in ([0, 1], [3])
    )

    assert padded.to(torch.device("cpu")) is padded
    for inputs, count in ((padded, 3), (full, 1)):
        found = inputs.to(torch.device("cuda"))
        assert isinstance(found, Inputs)
        for field in dataclasses.fields(Inputs):
            assert getattr(found, field.name) is getattr(inputs, field.name)
        assert len(moved) == count
        moved.clear()
