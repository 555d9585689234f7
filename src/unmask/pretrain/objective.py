"""What is learnt: the masked tokens, and for pairs whether the second segment follows the first.

The loss is the mean over masked tokens plus the mean over pairs (BERT, section 3.1), both means
over all micro-batches of a step.

Legend: B blocks, M masked positions, V vocabulary.
"""

import dataclasses
from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn import functional as F

from unmask.model.heads import MaskedLM, Pretraining
from unmask.pretrain.batches import MaskedBatch
from unmask.train.config import Precision
from unmask.train.precision import autocast

PretrainModel = MaskedLM | Pretraining


@dataclasses.dataclass(frozen=True, slots=True)
class Sums:
    """Sums over one micro-batch; they stay on the device."""

    loss: Tensor
    """Negative log-likelihood of the masked tokens, in nats."""
    nsp_loss: Tensor
    """The same of the pairs; 0 where there are none."""
    nsp_right: Tensor
    """Pairs that were told right."""

    def detached(self) -> "Sums":
        """The same numbers, without the way back to the weights."""
        return Sums(self.loss.detach(), self.nsp_loss.detach(), self.nsp_right)


@dataclasses.dataclass(frozen=True, slots=True)
class Counts:
    """How many there are to find in some micro-batches together."""

    masked: int
    pairs: int
    """0 where the plan has none."""

    @classmethod
    def of(cls, batches: Sequence[MaskedBatch]) -> "Counts":
        """Count masked tokens and pairs."""
        pairs = sum(0 if batch.follows_B is None else len(batch.follows_B) for batch in batches)
        # Independent draws may mask nothing at all; then there is nothing to divide, either.
        return cls(max(1, sum(len(batch.targets_M) for batch in batches)), pairs)

    def mean_loss(self, sums: Sums) -> Tensor:
        """A micro-batch's share of the loss: the shares of a step add up to its mean."""
        loss = sums.loss / self.masked
        return loss + sums.nsp_loss / self.pairs if self.pairs else loss


def predict(
    model: PretrainModel, batch: MaskedBatch, precision: Precision
) -> tuple[Tensor, Tensor | None]:
    """Give logits_MV, and logits_B2 of pairs, both float32."""
    with autocast(precision, batch.ids_BL.device):
        if isinstance(model, MaskedLM):
            logits_MV = model(batch.ids_BL, batch.mask_BL, positions_M=batch.positions_M)
            return logits_MV.float(), None
        logits_MV, follows_B2 = model(
            batch.ids_BL, batch.mask_BL, batch.types_BL, batch.positions_M
        )
        return logits_MV.float(), follows_B2.float()


def summed(logits_MV: Tensor, follows_B2: Tensor | None, batch: MaskedBatch) -> Sums:
    """Sum the losses of one micro-batch."""
    loss = F.cross_entropy(logits_MV, batch.targets_M, reduction="sum")
    if follows_B2 is None or batch.follows_B is None:
        zero = torch.zeros((), device=loss.device)
        return Sums(loss, zero, zero)
    nsp_loss = F.cross_entropy(follows_B2, batch.follows_B, reduction="sum")
    return Sums(loss, nsp_loss, (follows_B2.argmax(-1) == batch.follows_B).sum())
