"""Spans: runs of neighbouring units that are masked together.

A block's units are cut into consecutive spans whose lengths are drawn independently, from a place
that is drawn too; then a span is simply a larger unit. So spans never overlap, each is as likely
as any other, and the chosen ones have the lengths of the distribution. A span ends early at a
special token and at the end of its block.

Legend: B blocks, L length, N lengths.
"""

from statistics import NormalDist

import numpy as np

from unmask.core.hashing import IntArray, below, draw
from unmask.pretrain.masking.arrays import namespace, numbers, where_true
from unmask.pretrain.masking.config import SPAN_LONGEST, SPAN_STOP, MaskingConfig
from unmask.pretrain.masking.units import Units, follows_none, ordinals, rows
from unmask.pretrain.masking.weights import cumulated, weighted
from unmask.tokens.format import Ints

SCALE = 1 << 32
"""A probability becomes a weight; too coarse for the last digits of a machine's arithmetic."""


def lengths(config: MaskingConfig) -> Ints:
    """Cumulated weights of the lengths 0, 1, 2...

    Geometric ones are cut off and scaled up to one, as in SpanBERT (section 3.1); normal ones are
    rounded and those below zero become zero, as in fairseq (mask_tokens_dataset.py).
    """
    match config.spans:
        case "fixed":
            share_N = [0.0] * (config.span_length or 0) + [1.0]
        case "geometric":
            stop, longest = config.span_stop or SPAN_STOP, config.span_longest or SPAN_LONGEST
            share_N = [0.0] + [stop * (1 - stop) ** n for n in range(longest)]
        case _:
            bell = NormalDist(config.span_length or 0, config.span_spread or 1)
            below_N = [bell.cdf(n + 0.5) for n in range(int(bell.mean + 8 * bell.stdev) + 2)]
            share_N = np.diff([0.0, *below_N]).tolist()
    return cumulated(np.array([round(share * SCALE) for share in share_N]))


def cut(units: Units, key_B: IntArray, cumulative_N: Ints) -> Units:
    """Cut the units of each block into spans; a length of zero is drawn anew."""
    blocks, length = units.member_BL.shape
    positive_N = cumulative_N - cumulative_N[0]
    bits_BL = draw(key_B[:, None], numbers(length + 1, key_B))
    lengths_BL = weighted(bits_BL[:, 1:], positive_N)
    lead_B = below(bits_BL[:, 0], lengths_BL[:, 0])
    xp = namespace(key_B)
    ends_BL = xp.cumsum(lengths_BL, axis=1) - lead_B[:, None]
    # one column more, into which go all ends that lie beyond the block
    row_B1 = numbers(blocks, key_B)[:, None] * (length + 1)
    begins_T = xp.zeros_like(bits_BL, dtype=xp.bool).reshape(-1)
    begins_T[(ends_BL.clip(max=length) + row_B1).reshape(-1)] = True
    begins_BL = begins_T[ordinals(units).clip(min=0) + row_B1]
    heads_BL = units.head_BL & (begins_BL | follows_none(units.member_BL))
    return Units(units.member_BL, heads_BL)


def stretched(units: Units, chosen_BL: IntArray, length_BL: IntArray) -> IntArray:
    """Choose so many units from each chosen one on, up to the end of the block, as fairseq does.

    Such spans may overlap, and cross special tokens. `length_BL` counts at the chosen heads.
    """
    xp = namespace(chosen_BL)
    head_U = where_true(units.head_BL)
    last_B = xp.cumsum(units.head_BL.sum(axis=1), axis=0)
    number_N = where_true(chosen_BL.reshape(-1)[head_U])
    start_N = head_U[number_N]
    row_N, _ = rows(start_N, chosen_BL.shape[1])
    end_N = xp.minimum(number_N + length_BL.reshape(-1)[start_N], last_B[row_N])
    size = len(head_U) + 1
    edges_U = xp.bincount(number_N, minlength=size) - xp.bincount(end_N, minlength=size)
    covered_T = xp.zeros_like(chosen_BL).reshape(-1)
    covered_T[head_U] = xp.cumsum(edges_U, axis=0)[:-1] > 0
    return covered_T.reshape(chosen_BL.shape)
