"""Training batches as a pure function of (config, position).

Legend: B blocks, L length, M masked positions, N blocks asked for.
"""

import dataclasses
from collections.abc import Iterator

import numpy as np
import numpy.typing as npt
import torch

from unmask.pretrain import cut
from unmask.pretrain.masking.masker import Masker
from unmask.tokens.format import Ints
from unmask.tokens.order import Shuffled, Stratified
from unmask.tokens.plans.plan import Plan


@dataclasses.dataclass(frozen=True, slots=True)
class MaskedBatch:
    """What the model sees and what it has to find."""

    ids_BL: torch.Tensor
    mask_BL: torch.Tensor | None
    """True at real tokens; None where nothing is padded."""
    types_BL: torch.Tensor | None
    """Which segment a token is of; None where the model does not tell segments apart."""
    positions_M: torch.Tensor
    targets_M: torch.Tensor
    follows_B: torch.Tensor | None
    """Classes of pairs, as BERT numbers them: 0 where the second segment follows the first."""
    tokens: int
    """Real tokens, padding not counted."""


@dataclasses.dataclass(frozen=True, slots=True)
class Batches:
    """The masked blocks of one split, addressed by how many blocks were consumed before.

    A plan with short blocks is read in an order by which every step holds nearly the same number
    of tokens, and the blocks computed at once are of like length.
    """

    plan: Plan
    order: Shuffled | Stratified
    masker: Masker
    blocks: int
    """Blocks of one step (or, held out, of one measurement)."""
    micro_batch: int
    """Most blocks of full length to compute at once."""
    typed: bool
    """Whether the model is told which segment a token is of."""
    device: torch.device

    @classmethod
    def of(
        cls,
        plan: Plan,
        masker: Masker,
        seed: int,
        *,
        batch: int,
        micro_batch: int,
        typed: bool,
        device: torch.device,
    ) -> "Batches":
        """Take `batch` blocks at a time, or as many as hold the tokens of `batch` full ones."""
        if not plan.balanced:
            order = Shuffled(seed, plan.count)
            return cls(plan, order, masker, batch, micro_batch, typed, device)
        blocks = cut.blocks_worth(batch, plan.length, plan.lengths_B)
        strata = Stratified.of(seed, plan.lengths_B, strata=blocks)
        return cls(plan, strata, masker, blocks, micro_batch, typed, device)

    def step(self, number: int) -> Iterator[MaskedBatch]:
        """The micro-batches of step `number`."""
        return self.after(number * self.blocks, self.blocks)

    def after(self, consumed: int, count: int) -> Iterator[MaskedBatch]:
        """The `count` blocks that follow the first `consumed` ones, in micro-batches."""
        epoch_N, block_N = self.order.at(consumed, count)
        if self.plan.balanced:
            lengths_N = self.plan.lengths_B[block_N]
            parts = cut.by_length(lengths_N, self.micro_batch, self.plan.length)
        else:
            parts = cut.in_order(count, self.micro_batch, self.plan.length)
        for part in parts:
            yield self._masked(epoch_N[part.index_P], block_N[part.index_P], part.width)

    def _masked(self, epoch_B: Ints, block_B: Ints, width: int) -> MaskedBatch:
        blocks = self.plan.read(block_B)
        masked = self.masker(blocks.ids_BL[:, :width], epoch_B, block_B)
        mask_BL = np.arange(width) < blocks.lengths_B[:, None]
        types_BL, follows_B = blocks.types_BL, blocks.follows_B
        return MaskedBatch(
            ids_BL=self._tensor(masked.ids_BL),
            mask_BL=None if mask_BL.all() else self._tensor(mask_BL),
            types_BL=self._tensor(types_BL[:, :width])
            if self.typed and types_BL is not None
            else None,
            positions_M=self._tensor(masked.positions_M),
            targets_M=self._tensor(masked.targets_M),
            follows_B=None if follows_B is None else self._tensor((~follows_B).astype(np.int64)),
            tokens=int(blocks.lengths_B.sum()),
        )

    def _tensor(self, array: npt.NDArray[np.generic]) -> torch.Tensor:
        return torch.from_numpy(np.ascontiguousarray(array)).to(self.device)
