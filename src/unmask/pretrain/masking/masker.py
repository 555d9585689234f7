"""Masking as a pure function of (seed, epoch, block, position).

Every position of a block draws 64-bit hashes: one puts it in order among the positions that may
be masked, further ones decide what becomes of it (BERT, section 3.1; RoBERTa, section 4.1). So
masks do not depend on batches, workers or ranks, and numpy and torch make the same ones.

Under the rule "fairseq" the choice is fairseq's (mask_tokens_dataset.py): what may be masked, how
many, in which steps it is decided. The random numbers are still these hashes, so the masks have
fairseq's distribution and are not the ones that a run of fairseq drew.

Legend: B blocks, L length, M masked positions, P purposes, V vocabulary, N lengths of spans.
"""

import dataclasses

import numpy as np
import numpy.typing as npt

from unmask.core.hashing import IntArray, draw, stream
from unmask.pretrain.masking import bulk, choose, fairseq, replace, spans
from unmask.pretrain.masking.arrays import BoolArray, copied, like, namespace, numbers, where_true
from unmask.pretrain.masking.chinese import ChineseWords
from unmask.pretrain.masking.config import COPIES, MaskingConfig
from unmask.pretrain.masking.replace import RandomTokens
from unmask.pretrain.masking.units import Units, grouped, rows, tokens
from unmask.pretrain.masking.words import Words
from unmask.tokenizer.tokenizer import Tokenizer
from unmask.tokens.format import Ints
from unmask.tokens.read import Shard

AT_ONCE = 1 << 16
"""Positions of one pass of numpy: enough to pay for its calls, few enough for the caches."""
Keys = dict[str, IntArray]
"""For each purpose, [B]."""
PURPOSES = ("mask", "action", "token", "span", "split", "count")


@dataclasses.dataclass(frozen=True, slots=True)
class Masked:
    """Corrupted blocks and what was there."""

    ids_BL: IntArray
    positions_M: IntArray
    """Flat indices into B * L, ascending."""
    targets_M: IntArray
    """The original ids at these positions."""


@dataclasses.dataclass(frozen=True, slots=True)
class Masker:
    """Masks blocks of ids."""

    config: MaskingConfig
    mask_id: int
    spared_V: npt.NDArray[np.bool_]
    """True for ids that are never masked."""
    random_tokens: RandomTokens
    begins: Words | ChineseWords | None
    """Tells where words begin; None where units are tokens."""
    lengths_N: Ints | None
    """Cumulated weights of the lengths of spans."""
    streams_P: Ints
    """A key for each purpose."""

    @classmethod
    def of(
        cls, config: MaskingConfig, seed: int, tokenizer: Tokenizer, shards: list[Shard]
    ) -> "Masker":
        """Build from a tokenizer; the shards are read only to draw tokens by frequency."""
        special_V = np.zeros(tokenizer.vocabulary, np.bool_)
        special_V[list(tokenizer.special_ids)] = True
        spared_V, drawable_V = special_V, ~special_V
        drawable_V[list(tokenizer.filler_ids)] = False
        if config.rule == "fairseq":
            spared_V, drawable_V = fairseq.tables(tokenizer.vocabulary, tokenizer.pad_id)
        random_tokens = replace.uniform(drawable_V)
        if config.replacement == "frequency":
            counts_V = replace.frequencies(shards, tokenizer.vocabulary)
            random_tokens = replace.by_frequency(drawable_V, counts_V)
        return cls(
            config,
            tokenizer.mask_id,
            spared_V,
            random_tokens,
            _words(config, tokenizer),
            None if config.spans is None else spans.lengths(config),
            np.array([stream(purpose, seed) for purpose in PURPOSES]),
        )

    def __call__(self, ids_BL: IntArray, epoch_B: IntArray, block_B: IntArray) -> Masked:
        """Mask blocks, each known by its epoch and number: numpy arrays, or tensors of a device.

        `ids_BL` stays as it is.
        """
        blocks, length = ids_BL.shape
        corrupted_BL = copied(ids_BL)
        key_PB = self._keys(epoch_B, block_B)
        step = max(1, AT_ONCE // length) if isinstance(ids_BL, np.ndarray) else max(1, blocks)
        position_M, targets_M = [], []
        for first in range(0, max(1, blocks), step):
            part = slice(first, first + step)
            keys = dict(zip(PURPOSES, key_PB[:, part], strict=True))
            position, head = self._choose(ids_BL[part], keys)
            targets_M.append(ids_BL[part].reshape(-1)[position])
            self._corrupt(corrupted_BL[part], position, head, targets_M[-1], keys)
            position_M.append(position + first * length)
        join = namespace(ids_BL).concatenate
        return Masked(corrupted_BL, join(position_M), join(targets_M))

    def _keys(self, epoch_B: IntArray, block_B: IntArray) -> IntArray:
        """A key for each purpose and block, [P, B]."""
        match self.config.schedule:
            case "static":
                epoch_B = epoch_B * 0
            case "copies":
                epoch_B = epoch_B % (self.config.copies or COPIES)
            case "dynamic":
                pass
        stream_P1 = like(self.streams_P[:, None], epoch_B)
        return draw(draw(stream_P1, epoch_B), block_B)

    def _choose(self, ids_BL: IntArray, keys: Keys) -> tuple[IntArray, IntArray]:
        """Flat positions that are masked, and the heads of their units."""
        config, length = self.config, ids_BL.shape[1]
        spared_BL = like(self.spared_V, ids_BL)[ids_BL]
        if isinstance(ids_BL, np.ndarray) and self._is_plain():
            budget_L = choose.budgets(length, config.probability)
            position_M = bulk.positions(spared_BL, keys["mask"], budget_L, config.probability)
            return position_M, position_M
        units = self._units(ids_BL, ~spared_BL, keys)
        hash_BL = draw(keys["mask"][:, None], numbers(length, ids_BL))
        if config.rule == "fairseq":
            heads_BL = fairseq.chosen(config, units, hash_BL, keys, self.lengths_N)
        elif config.count == "bernoulli":
            heads_BL = choose.bernoulli(units, hash_BL, config.probability)
        else:
            heads_BL = choose.exact(units, hash_BL, config.probability)
        return units.spread(heads_BL)

    def _is_plain(self) -> bool:
        """Whether `bulk` knows the way: an exact number of single tokens."""
        exact = self.config.count == "exact" and self.config.rule == "unmask"
        return exact and self.begins is None and self.lengths_N is None

    def _units(self, ids_BL: IntArray, member_BL: BoolArray, keys: Keys) -> Units:
        units = tokens(member_BL)
        if self.begins is not None:
            units = grouped(member_BL, self.begins(ids_BL))
        if self.lengths_N is not None and self.config.rule == "unmask":
            units = spans.cut(units, keys["span"], self.lengths_N)
        return units

    def _corrupt(
        self,
        ids_BL: IntArray,
        position_M: IntArray,
        head_M: IntArray,
        targets_M: IntArray,
        keys: Keys,
    ) -> None:
        """Replace masked tokens in place; a unit's head decides, each token draws for itself."""
        length = ids_BL.shape[1]
        ids_T = ids_BL.reshape(-1)
        ids_T[position_M] = self.mask_id
        row_M, place_M = rows(head_M, length)
        action_M = draw(keys["action"][row_M], place_M)
        rule = fairseq if self.config.rule == "fairseq" else replace
        other_N = where_true(rule.not_mask(self.config, action_M))
        row_N, position_N = row_M[other_N], position_M[other_N]
        if self.config.rule == "fairseq":
            split_N = draw(keys["split"][row_N], place_M[other_N])
            is_random_N = fairseq.random_not_same(self.config, split_N)
        else:
            is_random_N = replace.random_not_same(self.config, action_M[other_N])
        token_N = draw(keys["token"][row_N], position_N - row_N * length)
        drawn_N = self.random_tokens(token_N)
        ids_T[position_N] = namespace(ids_BL).where(is_random_N, drawn_N, targets_M[other_N])


def _words(config: MaskingConfig, tokenizer: Tokenizer) -> Words | ChineseWords | None:
    match config.unit:
        case "token":
            return None
        case "word":
            return Words.of(tokenizer)
        case "chinese-word":
            return ChineseWords(tokenizer)
