"""Without VNNI two products are added in 16 bits: 7 bits of weight fit there, 8 do not.

vpmaddubsw multiplies unsigned by signed bytes and adds neighbours, and what is beyond 16 bits is
cut. T tokens, I width of the input, O of the output.
"""

import numpy as np
import pytest
import torch

from unmask.export.int8.observed import Observed
from unmask.export.int8.plan import LEVELS, LEVELS_WITHOUT_VNNI, weight_scale
from unmask.export.int8.ranges import MOST, limits, step

LARGEST = 2**15 - 1


def in_pairs(ints_TI, weight_IO):
    """Sums of neighbours' products, before they are cut: (T, I / 2, O)."""
    products = ints_TI.astype(np.int64)[:, :, None] * weight_IO.astype(np.int64)
    return products[:, ::2] + products[:, 1::2]


def summed(ints_TI, weight_IO, *, vnni):
    """The product of 8-bit integers as a processor computes it."""
    pairs = in_pairs(ints_TI, weight_IO)
    return (pairs if vnni else np.clip(pairs, -LARGEST - 1, LARGEST)).sum(1)


def quantised(levels, seed=0):
    """Inputs as after GELU, and normal weights, in 8 bits."""
    dice = np.random.default_rng(seed)
    values_TI = torch.nn.functional.gelu(torch.from_numpy(dice.normal(size=(64, 128)) * 1.5))
    values_TI = values_TI.float()
    scale, zero = step(*limits(Observed.empty(128).added(values_TI), "percentile", 99))
    ints_TI = np.clip(np.round(values_TI.numpy() / scale) + zero, 0, MOST).astype(np.uint8)
    weight_IO = (dice.normal(size=(128, 32)) * 0.05).astype(np.float32)
    scale_O = weight_scale(weight_IO, levels)
    return ints_TI, np.round(weight_IO / scale_O).astype(np.int8)


def test_eight_bits_of_weight_overflow_on_inputs_as_after_gelu():
    ints_TI, weight_IO = quantised(LEVELS)

    assert np.abs(in_pairs(ints_TI, weight_IO)).max() > LARGEST
    with_it, without = (summed(ints_TI, weight_IO, vnni=vnni) for vnni in (True, False))
    assert np.abs(with_it - without).max() > 1000


@pytest.mark.parametrize("seed", range(3))
def test_seven_bits_of_weight_do_not(seed):
    ints_TI, weight_IO = quantised(LEVELS_WITHOUT_VNNI, seed)

    with_it, without = (summed(ints_TI, weight_IO, vnni=vnni) for vnni in (True, False))

    np.testing.assert_array_equal(with_it, without)


@pytest.mark.parametrize("sign", [-1, 1])
@pytest.mark.parametrize(("levels", "overflows"), [(LEVELS, True), (LEVELS_WITHOUT_VNNI, False)])
def test_the_worst_case(levels, overflows, sign):
    ints_TI = np.full((1, 2), MOST, np.uint8)
    weight_IO = np.full((2, 1), sign * levels, np.int8)

    assert (np.abs(in_pairs(ints_TI, weight_IO)).item() > LARGEST) is overflows


def test_one_level_more_would_fit_still_and_two_would_not():
    """63 is what whole bits allow: 7 of them with the sign."""
    assert MOST * (LEVELS_WITHOUT_VNNI + 1) * 2 <= LARGEST
    assert MOST * (LEVELS_WITHOUT_VNNI + 2) * 2 > LARGEST
