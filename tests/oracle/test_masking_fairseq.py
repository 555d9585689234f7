"""The rule "fairseq" against its steps, told once more in plain loops.

fairseq's `data/mask_tokens_dataset.py` is restated here item by item; where it asks its random
generator, the restatement takes the hash that stands for the answer.
"""

import math
from fractions import Fraction
from types import SimpleNamespace

import numpy as np
import pytest

from unmask.core.hashing import draw, stream
from unmask.pretrain.masking.config import MaskingConfig
from unmask.pretrain.masking.masker import Masker

VOCABULARY, PAD, MASK = 60, 1, 59
TOKENIZER = SimpleNamespace(
    vocabulary=VOCABULARY,
    special_ids=(0, 1, 2, 3, MASK),
    filler_ids=(),
    mask_id=MASK,
    pad_id=PAD,
    family="roberta",
    token=lambda id_: f"Ġ{id_}" if id_ % 2 else f"{id_}",
)
BEGINS = [id_ % 2 == 1 or id_ in TOKENIZER.special_ids for id_ in range(VOCABULARY)]
SETTINGS = {
    "tokens": {},
    "no random tokens": {"masked": 0.9, "random": 0.0},
    "none left": {"masked": 0.6, "random": 0.4},
    "all masked": {"masked": 1.0, "random": 0.0},
    "words": {"unit": "word"},
    "spans": {"spans": "fixed", "span_length": 3},
    "normal spans": {"spans": "normal", "span_length": 3, "span_spread": 2.0},
    "spans of words": {"unit": "word", "spans": "fixed", "span_length": 2},
}


def blocks(count=200, length=60):
    dice = np.random.default_rng(0)
    ids_BL = dice.integers(4, MASK, (count, length))
    ids_BL[dice.random(ids_BL.shape) < 0.06] = 2
    ids_BL[:, 0] = 0
    ids_BL[np.arange(length) >= dice.integers(3, length + 1, count)[:, None]] = PAD
    return ids_BL


class Dice:
    """The hashes of one block by purpose and place, as fractions in [0, 1)."""

    def __init__(self, block):
        self.block = block

    def order(self, place):
        return int(self._bits("mask", place))

    def share(self, purpose, place):
        return Fraction(int(self._bits(purpose, place)) % 2**63, 2**63)

    def number(self, purpose, place, bound):
        return int(self._bits(purpose, place)) % 2**63 % bound

    def _bits(self, purpose, place):
        key_B = draw(draw(stream(purpose, 4), np.array([9])), np.array([self.block]))
        return draw(key_B, np.array([place]))[0]


def by_fairseq(item, config, dice, span_length_of):
    """Mask one item without padding: (new item, positions)."""
    if config.unit == "word":
        starts = [place for place, id_ in enumerate(item) if BEGINS[id_]]
    else:
        starts = list(range(len(item)))
    units = [range(a, b) for a, b in zip(starts, [*starts[1:], len(item)], strict=True)]
    size = len(units)

    expected = config.probability * size / float(config.span_length or 1)
    # the first draw of the purpose "count" is the key of its stream for this block
    key = draw(draw(stream("count", 4), np.array([9])), np.array([dice.block]))[0]
    number = int(Fraction(expected) + Fraction(int(key) % 2**63, 2**63))
    chosen = sorted(range(size), key=lambda unit: dice.order(units[unit][0]))[:number]

    mask = [False] * size
    for unit in chosen:
        for offset in range(span_length_of(dice, units[unit][0])):
            if unit + offset < size:
                mask[unit + offset] = True

    leave, random = 1 - config.masked - config.random, config.random
    new_item, positions = list(item), []
    for unit, places in enumerate(units):
        if not mask[unit]:
            continue
        positions += places
        rand_or_unmask = dice.share("action", places[0]) < 1 - config.masked
        unmask = rand_or_unmask and (
            random == 0 or dice.share("split", places[0]) < leave / (1 - config.masked)
        )
        for place in places:
            if not rand_or_unmask:
                new_item[place] = MASK
            elif not unmask:
                new_item[place] = 4 + dice.number("token", place, VOCABULARY - 4)
    return new_item, positions


@pytest.mark.parametrize("flags", SETTINGS.values(), ids=SETTINGS)
def test_masks_are_those_of_fairseqs_steps(flags):
    config = MaskingConfig(rule="fairseq", **flags)
    ids_BL = blocks()
    masker = Masker.of(config, 4, TOKENIZER, [])
    length_of = span_lengths(config, masker)

    masked = masker(ids_BL, np.full(len(ids_BL), 9), np.arange(len(ids_BL)))

    length = ids_BL.shape[1]
    for block, ids_L in enumerate(ids_BL):
        item = ids_L[ids_L != PAD].tolist()
        expected, positions = by_fairseq(item, config, Dice(block), length_of)
        found = masked.positions_M[masked.positions_M // length == block] % length
        assert found.tolist() == positions
        assert masked.ids_BL[block, : len(item)].tolist() == expected
        assert (masked.ids_BL[block, len(item) :] == PAD).all()


def span_lengths(config, masker):
    """How long the span from a place is; that the table is right is tested on its own."""
    if config.spans is None:
        return lambda dice, place: 1
    if config.spans == "fixed":
        return lambda dice, place: config.span_length
    weights = np.diff(masker.lengths_N, prepend=0)
    lengths = np.repeat(np.arange(len(weights)), (weights > 0).astype(int))
    edges = masker.lengths_N.tolist()

    def drawn(dice, place):
        bits = dice.number("span", place, edges[-1])
        return next(length for length in lengths.tolist() if bits < edges[length])

    return drawn


def test_normal_lengths_are_fairseqs_rounded_ones_with_zero():
    config = MaskingConfig(rule="fairseq", spans="normal", span_length=3, span_spread=2.0)
    edges = Masker.of(config, 0, TOKENIZER, []).lengths_N

    for length, edge in enumerate(edges.tolist()):
        at_most = (1 + math.erf((length + 0.5 - 3) / 2.0 / math.sqrt(2))) / 2
        assert abs(edge / edges[-1] - at_most) < 1e-8


def test_separators_may_be_masked_and_the_mask_token_may_be_drawn():
    ids_BL = blocks(3000)
    config = MaskingConfig(rule="fairseq", masked=0.0, random=1.0)

    masked = Masker.of(config, 4, TOKENIZER, [])(ids_BL, np.zeros(3000, np.int64), np.arange(3000))
    drawn = np.bincount(masked.ids_BL.ravel()[masked.positions_M], minlength=VOCABULARY)

    assert {0, 2} <= set(masked.targets_M.tolist())
    assert PAD not in masked.targets_M
    assert drawn[:4].sum() == 0
    assert drawn[4:].min() > 0.6 * drawn[4:].mean()


def test_the_number_of_masked_tokens_is_rounded_by_chance():
    """And so is right on average, where rounding to the nearest would never be."""
    ids_BL = np.full((4000, 15), 7)
    masked = Masker.of(MaskingConfig(rule="fairseq"), 4, TOKENIZER, [])(
        ids_BL, np.zeros(4000, np.int64), np.arange(4000)
    )

    rows = np.bincount(masked.positions_M // 15, minlength=4000)

    assert set(rows.tolist()) == {2, 3}
    assert abs(rows.mean() - 2.25) < 0.03
