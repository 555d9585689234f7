"""Sequences end to end give what padded ones do, in training's own encoder.

B sequences, L length, T tokens, D width, H heads, K head size.
"""

import dataclasses
from itertools import pairwise

import pytest
import torch
from torch.nn import functional as F

from unmask.model.encoder import Encoder
from unmask.model.init import initialise
from unmask.model.packing import Joined
from unmask.model.presets import BERT, ROBERTA

LENGTHS = [[1], [5], [3, 3, 3], [9, 8, 4, 4, 2, 1], [1, 9, 1, 2, 8], [4, 0, 3, 0]]
FAMILIES = pytest.mark.parametrize("preset", [ROBERTA["tiny"], BERT["tiny"]], ids=["rob", "bert"])


def one_by_one(q_QHK, k_THK, v_THK, starts_q, starts_k, longest_q, longest_k):
    """What flash attention should do; NaN where a query has no key."""
    assert starts_q.dtype == starts_k.dtype == torch.int32
    assert starts_q.diff().max() <= longest_q
    assert starts_k.diff().max() <= longest_k
    mixed_QHK = torch.full_like(q_QHK, torch.nan)
    limits = zip(pairwise(starts_q.tolist()), pairwise(starts_k.tolist()), strict=True)
    for (q0, q1), (k0, k1) in limits:
        if k0 < k1:
            parts = q_QHK[q0:q1], k_THK[k0:k1], v_THK[k0:k1]
            heads = [part.transpose(0, 1) for part in parts]
            mixed_QHK[q0:q1] = F.scaled_dot_product_attention(*heads).transpose(0, 1)
    return mixed_QHK


def encoder_of(preset):
    encoder = Encoder(dataclasses.replace(preset, vocabulary=200)).double()
    initialise(encoder, 0)
    for parameter in encoder.parameters():
        parameter.data += 0.2 * torch.randn_like(parameter)
    return encoder.eval()


def inputs(lengths, preset):
    mask_BL = torch.arange(max(lengths)) < torch.tensor(lengths)[:, None]
    ids_BL = torch.where(mask_BL, torch.randint(0, 200, mask_BL.shape), preset.pad_id)
    types_BL = torch.randint(0, preset.types, mask_BL.shape)
    starts_S = torch.tensor([0, *lengths]).cumsum(0).to(torch.int32)
    return ids_BL, mask_BL, types_BL, Joined(starts_S, max(lengths) + 3, one_by_one)


def flat(encoder, ids_BL, mask_BL, types_BL):
    rows_BL = encoder.embedding.positions(ids_BL).expand_as(ids_BL)
    return [part[mask_BL].to(torch.int32) for part in (ids_BL, rows_BL, types_BL)]


@FAMILIES
@pytest.mark.parametrize("lengths", LENGTHS)
@torch.inference_mode()
def test_tokens_have_the_states_of_padded_blocks(lengths, preset):
    encoder = encoder_of(preset)
    *padded, joined = inputs(lengths, preset)

    found_TD = encoder.joined(*flat(encoder, *padded), joined)

    torch.testing.assert_close(found_TD, encoder(*padded)[padded[1]], rtol=1e-9, atol=1e-9)


@FAMILIES
@pytest.mark.parametrize("lengths", LENGTHS)
@pytest.mark.parametrize("asked", [1, 3])
@torch.inference_mode()
def test_asked_for_places_only_their_states_come_out(lengths, preset, asked):
    encoder = encoder_of(preset)
    *padded, joined = inputs(lengths, preset)
    real_B = torch.tensor(lengths) > 0
    lengths_B = torch.tensor(lengths).clamp(min=1)
    places_BN = torch.randint(0, 100, (len(lengths), asked)) % lengths_B[:, None]
    first_B = joined.starts_S[:-1].clamp(max=joined.starts_S[-1] - 1)

    found_BND = encoder.joined(*flat(encoder, *padded), joined, first_B[:, None] + places_BN)

    index_BND = places_BN[..., None].expand(-1, -1, preset.width)
    expected_BND = encoder(*padded).gather(1, index_BND)
    assert found_BND.shape == expected_BND.shape
    torch.testing.assert_close(found_BND[real_B], expected_BND[real_B], rtol=1e-9, atol=1e-9)


def test_no_layer_pads_and_the_last_one_asks_for_one_query_a_sequence():
    preset = ROBERTA["tiny"]
    encoder, calls = encoder_of(preset), []
    *padded, joined = inputs([9, 1, 4], preset)

    def noted(q_QHK, k_THK, *others):
        calls.append((len(q_QHK), len(k_THK), *others[-2:]))
        return one_by_one(q_QHK, k_THK, *others)

    noting = dataclasses.replace(joined, kernel=noted)
    with torch.inference_mode():
        encoder.joined(*flat(encoder, *padded), noting, joined.starts_S[:-1, None])

    assert calls == [(14, 14, 12, 12)] * (preset.layers - 1) + [(3, 14, 1, 12)]
