"""Dynamic masking as a pure function of (seed, epoch, block, position).

Position p of block b in epoch e draws a 64-bit hash; the k smallest among the positions that may
be masked are the masked ones, so the count is exact and the result does not depend on batches,
workers or ranks. Further hashes choose between <mask>, a random token and no change, and the
random token (BERT, section 3.1; RoBERTa, section 4.1: a new mask every epoch).

Legend: B blocks, L length, M masked positions.
"""

import dataclasses

import numpy as np
import numpy.typing as npt

from unmask.core.hashing import LARGEST, below, draw, stream, within
from unmask.pretrain.config import MaskingConfig
from unmask.tokens.format import Ints


@dataclasses.dataclass(frozen=True, slots=True)
class Masked:
    """Corrupted blocks and what was there."""

    ids_BL: Ints
    positions_M: Ints
    """Flat indices into B * L, ascending."""
    targets_M: Ints
    """The original ids at these positions."""


@dataclasses.dataclass(frozen=True, slots=True)
class Masker:
    """Masks blocks; special tokens are never masked and never drawn as replacement."""

    config: MaskingConfig
    seed: int
    mask_id: int
    ordinary_ids: Ints
    """Every id that is no special token, ascending."""
    special: npt.NDArray[np.bool_]
    """[V], true for special tokens."""

    @classmethod
    def of(
        cls,
        config: MaskingConfig,
        seed: int,
        *,
        vocabulary: int,
        special_ids: tuple[int, ...],
        mask_id: int,
    ) -> "Masker":
        """Build from a tokenizer's vocabulary size and special ids."""
        special = np.zeros(vocabulary, dtype=np.bool_)
        special[list(special_ids)] = True
        return cls(config, seed, mask_id, np.flatnonzero(~special), special)

    def __call__(self, ids_BL: Ints, epoch_B: Ints, block_B: Ints) -> Masked:
        """Choose and corrupt positions of blocks, each known by its epoch and number."""
        chosen_BL = self._choose(~self.special[ids_BL], self._keys("mask", epoch_B, block_B))
        row_M, column_M = np.nonzero(chosen_BL)
        action_M = draw(self._keys("action", epoch_B, block_B)[row_M], column_M)
        token_M = draw(self._keys("token", epoch_B, block_B)[row_M], column_M)
        targets_M = ids_BL[row_M, column_M]
        becomes_mask_M = within(action_M, self.config.masked)
        becomes_random_M = within(action_M, self.config.masked + self.config.random)
        random_M = self.ordinary_ids[below(token_M, len(self.ordinary_ids))]
        corrupted_BL = ids_BL.copy()
        corrupted_BL[row_M, column_M] = np.where(
            becomes_mask_M, self.mask_id, np.where(becomes_random_M, random_M, targets_M)
        )
        return Masked(corrupted_BL, row_M * ids_BL.shape[1] + column_M, targets_M)

    def _choose(self, maskable_BL: npt.NDArray[np.bool_], key_B: Ints) -> npt.NDArray[np.bool_]:
        """Mark the k positions of smallest hash; k is the rounded share, and at least one."""
        maskable_B = maskable_BL.sum(axis=1)
        rounded_B = np.floor(maskable_B * self.config.probability + 0.5).astype(np.int64)
        count_B = np.minimum(np.maximum(rounded_B, 1), maskable_B)
        column_L = np.arange(maskable_BL.shape[1])
        hash_BL = np.where(maskable_BL, draw(key_B[:, None], column_L), LARGEST)
        order_BL = np.argsort(hash_BL, axis=1, kind="stable")
        chosen_BL = np.zeros_like(maskable_BL)
        np.put_along_axis(chosen_BL, order_BL, column_L < count_B[:, None], axis=1)
        return chosen_BL

    def _keys(self, purpose: str, epoch_B: Ints, block_B: Ints) -> Ints:
        keys: Ints = draw(draw(stream(purpose, self.seed), epoch_B), block_B)
        return keys
