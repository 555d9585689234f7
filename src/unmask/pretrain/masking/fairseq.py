"""The choice of fairseq (data/mask_tokens_dataset.py), over hashes in the place of its numbers.

All tokens but padding may be masked, so <s> and </s> too; with whole words, a token at the head
of a line that has no space in front belongs to the special token before it. Of n units
floor(p * n / span length + u) are chosen, u uniform: units are counted and not their tokens.

Legend: B blocks, L length, N lengths of spans, V vocabulary.
"""

import numpy as np
import numpy.typing as npt

from unmask.core.hashing import LARGEST, IntArray, draw, within
from unmask.pretrain.masking import choose, spans
from unmask.pretrain.masking.arrays import BoolArray, like, numbers
from unmask.pretrain.masking.config import MaskingConfig
from unmask.pretrain.masking.units import Units
from unmask.pretrain.masking.weights import weighted
from unmask.tokens.format import Ints

FIRST_SPECIAL = 4
"""fairseq never draws <s>, <pad>, </s>, <unk>; its <mask>, the last id, it may draw."""


def tables(vocabulary: int, pad_id: int) -> tuple[npt.NDArray[np.bool_], npt.NDArray[np.bool_]]:
    """The ids that are never masked, and the ids that may be drawn, [V] each."""
    id_V = np.arange(vocabulary)
    return id_V == pad_id, id_V >= FIRST_SPECIAL


def chosen(
    config: MaskingConfig,
    units: Units,
    hash_BL: IntArray,
    keys: dict[str, IntArray],
    lengths_N: Ints | None,
) -> BoolArray:
    """The heads of the units that are masked."""
    length = hash_BL.shape[1]
    units_B = units.head_BL.sum(axis=1)
    whole_L, rest_L = _expected(length, config.probability, config.span_length or 1)
    one_more_B = (keys["count"] & LARGEST) > LARGEST - like(rest_L, hash_BL)[units_B]
    count_B = like(whole_L, hash_BL)[units_B] + one_more_B
    chosen_BL = choose.smallest(units, hash_BL, count_B)
    if lengths_N is None:
        return chosen_BL
    bits_BL = draw(keys["span"][:, None], numbers(length, hash_BL))
    return spans.stretched(units, chosen_BL, weighted(bits_BL, lengths_N))


def not_mask(config: MaskingConfig, action_M: IntArray) -> BoolArray:
    """True where a masked position does not become <mask>: fairseq decides this first."""
    return within(action_M, 1 - config.masked)


def random_not_same(config: MaskingConfig, split_M: IntArray) -> BoolArray:
    """True where such a position becomes a random token, by a draw of its own."""
    same, rest = 1 - config.masked - config.random, 1 - config.masked
    return ~within(split_M, same / rest if rest else 0)


def _expected(length: int, probability: float, span_length: int) -> tuple[Ints, Ints]:
    """How many of n = 0 ... length units to choose: whole ones, and the rest in units of 2**-63."""
    expected_L = probability * np.arange(length + 1) / span_length
    whole_L = np.floor(expected_L)
    rest_L = np.ldexp(expected_L - whole_L, 63)
    return whole_L.astype(np.int64), rest_L.astype(np.int64)
