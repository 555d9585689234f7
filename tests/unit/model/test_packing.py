"""Without padding the same comes out, whatever the lengths and their order."""

import dataclasses

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from unmask.model.encoder import Encoder
from unmask.model.init import initialise
from unmask.model.packing import ALIKE, Packing
from unmask.model.presets import BERT, ROBERTA

LENGTHS = [[5], [3, 3, 3], [9, 8, 4, 4, 2, 1], [1, 9, 1, 2, 8], [16, 7, 7, 3, 1, 1]]


def mask_of(lengths):
    return torch.arange(max(lengths)) < torch.tensor(lengths)[:, None]


def packing_of(lengths):
    mask_BL = mask_of(lengths)
    return Packing.of(mask_BL, mask_BL.flatten().nonzero().flatten())


def encoder_of(preset):
    sizes = {"vocabulary": 200, "dropout": 0.0, "attention_dropout": 0.0}
    encoder = Encoder(dataclasses.replace(preset, **sizes)).double()
    initialise(encoder, 0)
    return encoder.train()


@pytest.mark.parametrize("lengths", LENGTHS)
@pytest.mark.parametrize("preset", [ROBERTA["tiny"], BERT["tiny"]], ids=["roberta", "bert"])
def test_states_and_gradients_are_those_of_padded_blocks(lengths, preset):
    encoder = encoder_of(preset)
    mask_BL = mask_of(lengths)
    ids_BL = torch.where(mask_BL, torch.randint(110, 200, mask_BL.shape), preset.pad_id)
    real_T = mask_BL.flatten().nonzero().flatten()

    def both(states_TD):
        encoder.zero_grad()
        states_TD.square().sum().backward()
        return states_TD.detach(), [parameter.grad for parameter in encoder.parameters()]

    padded, wanted = both(encoder(ids_BL, mask_BL).flatten(0, 1)[real_T])
    packed, found = both(encoder.packed(ids_BL, mask_BL, real_T=real_T))

    torch.testing.assert_close(packed, padded, rtol=1e-9, atol=1e-9)
    for ours, theirs in zip(found, wanted, strict=True):
        torch.testing.assert_close(ours, theirs, rtol=1e-9, atol=1e-9)


@given(st.lists(st.integers(1, 40), min_size=1, max_size=40))
def test_groups_hold_every_token_once_and_blocks_of_like_length(lengths):
    packing = packing_of(lengths)
    packed_TD = torch.arange(sum(lengths))[:, None].double()

    back = torch.cat([group.packed(group.padded(part)) for group, part in packing.parts(packed_TD)])

    assert back.equal(packed_TD)
    assert sum(group.blocks for group in packing.groups) == len(lengths)
    first = 0
    for group in packing.groups:
        own = lengths[first : first + group.blocks]
        assert group.width == max(own)
        assert all(
            length > ALIKE * max(own[: index + 1]) for index, length in enumerate(own) if index
        )
        first += group.blocks


def test_sorted_blocks_leave_little_padding_to_attention():
    lengths = sorted(torch.randint(4, 60, (64,)).tolist(), reverse=True)
    packing = packing_of(lengths)

    squares = sum(group.blocks * group.width**2 for group in packing.groups)

    assert len(packing.groups) <= 5
    assert squares < 2 * sum(length**2 for length in lengths)
    assert squares < 0.7 * len(lengths) * max(lengths) ** 2


def test_blocks_of_one_length_are_one_group_without_a_mask():
    (group,) = packing_of([7, 7, 7]).groups

    assert (group.mask_G11W, group.real_R) == (None, None)
