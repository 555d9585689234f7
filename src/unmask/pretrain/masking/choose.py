"""Which units are masked: each draws a hash, and the smallest ones win.

Legend: B blocks, L length.
"""

import functools
from collections.abc import Callable

import numpy as np

from unmask.core.hashing import LARGEST, IntArray, within
from unmask.pretrain.masking.arrays import BoolArray, like, namespace
from unmask.pretrain.masking.units import Units, first_of_rows
from unmask.tokens.format import Ints


@functools.lru_cache(maxsize=8)
def budgets(length: int, probability: float) -> Ints:
    """How many of n = 0 ... length positions are masked: the rounded share, at least one of any."""
    count_L = np.arange(length + 1)
    rounded_L = np.floor(count_L * probability + 0.5).astype(np.int64)
    budget_L: Ints = np.minimum(np.maximum(rounded_L, 1), count_L)
    return budget_L


def exact(units: Units, hash_BL: IntArray, probability: float) -> BoolArray:
    """The heads of units taken by ascending hash until the block's budget of positions is spent.

    A unit larger than what is left of the budget is passed over and smaller ones behind it are
    still tried, as in BERT (create_pretraining_data.py, create_masked_lm_predictions). Where not
    one unit fits, the first is taken all the same, so that no block goes without a target.
    """
    length = units.member_BL.shape[1]
    budget_L = like(budgets(length, probability), hash_BL)
    size_BL = units.sizes()

    def take(order_BL: IntArray) -> BoolArray:
        sorted_BL = size_BL.reshape(-1)[order_BL]
        taken_BL = fitting(sorted_BL, budget_L[units.member_BL.sum(axis=1)])
        taken_BL[:, 0] |= (sorted_BL[:, 0] > 0) & ~taken_BL.any(axis=1)
        return taken_BL

    return _by_hash(units, hash_BL, take)


def smallest(units: Units, hash_BL: IntArray, count_B: IntArray) -> BoolArray:
    """The heads of the `count_B` units of smallest hash of each block."""
    column_L = np.arange(hash_BL.shape[1])

    def take(order_BL: IntArray) -> BoolArray:
        return (like(column_L, order_BL) < count_B[:, None]) & units.head_BL.reshape(-1)[order_BL]

    return _by_hash(units, hash_BL, take)


def bernoulli(units: Units, hash_BL: IntArray, probability: float) -> BoolArray:
    """The heads of units whose own hash is low enough, as Hugging Face's collator chooses."""
    return units.head_BL & within(hash_BL, probability)


def fitting(size_BL: IntArray, budget_B: IntArray) -> BoolArray:
    """Walk along each row taking every size that the rest of the budget still allows.

    Each turn takes what fits up to the first size that does not, and drops all sizes above what
    is left then: they can never fit again. So there are fewer turns than there are sizes.
    """
    xp = namespace(size_BL)
    taken_BL = xp.zeros_like(size_BL, dtype=xp.bool)
    open_BL, left_B = size_BL > 0, budget_B
    while (open_BL := open_BL & (size_BL <= left_B[:, None])).any():
        running_BL = xp.cumsum(xp.where(open_BL, size_BL, 0), axis=1)
        fits_BL = open_BL & (running_BL <= left_B[:, None])
        left_B = left_B - xp.where(fits_BL, size_BL, 0).sum(axis=1)
        taken_BL, open_BL = taken_BL | fits_BL, open_BL & ~fits_BL
    return taken_BL


def _by_hash(units: Units, hash_BL: IntArray, take: Callable[[IntArray], BoolArray]) -> BoolArray:
    """Let `take` decide in the order of hashes: it gets flat indices, sorted within rows."""
    xp = namespace(hash_BL)
    key_BL = xp.where(units.head_BL, hash_BL, LARGEST)
    order_BL = xp.argsort(key_BL, axis=1, stable=True) + first_of_rows(key_BL)
    chosen_T = xp.zeros_like(units.head_BL).reshape(-1)
    chosen_T[order_BL.reshape(-1)] = take(order_BL).reshape(-1)
    return chosen_T.reshape(hash_BL.shape)
