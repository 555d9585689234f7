"""Training batches as a pure function of (config, position).

Legend: B blocks, L length, M masked positions.
"""

import dataclasses

import numpy as np
import torch

from unmask.pretrain.masking import Masker
from unmask.tokens.order import schedule
from unmask.tokens.plans.full_sentences import FullSentences


@dataclasses.dataclass(frozen=True, slots=True)
class MaskedBatch:
    """What the model sees and what it has to find."""

    ids_BL: torch.Tensor
    mask_BL: torch.Tensor | None
    """True at real tokens; None where nothing is padded."""
    positions_M: torch.Tensor
    targets_M: torch.Tensor
    tokens: int
    """Real tokens, padding not counted."""


@dataclasses.dataclass(frozen=True, slots=True)
class Batches:
    """The masked blocks of one split, addressed by how many blocks were consumed before."""

    plan: FullSentences
    masker: Masker
    seed: int
    device: torch.device

    def at(self, consumed: int, count: int) -> MaskedBatch:
        """The `count` blocks that follow the first `consumed` ones."""
        epoch_B, block_B = schedule(self.seed, self.plan.count, consumed, count)
        blocks = self.plan.read(block_B)
        masked = self.masker(blocks.ids_BL, epoch_B, block_B)
        length = self.plan.length
        tokens = int(blocks.lengths_B.sum())
        mask_BL = np.arange(length) < blocks.lengths_B[:, None]
        return MaskedBatch(
            torch.from_numpy(masked.ids_BL).to(self.device),
            None if mask_BL.all() else torch.from_numpy(mask_BL).to(self.device),
            torch.from_numpy(masked.positions_M).to(self.device),
            torch.from_numpy(masked.targets_M).to(self.device),
            tokens,
        )
