"""What is learnt: the masked tokens, and for pairs whether the second segment follows the first.

The loss is the mean over masked tokens plus the mean over pairs (BERT, section 3.1), both means
over all micro-batches of a step.

Legend: B blocks, D width, M masked positions, N places asked for.
"""

import dataclasses
from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from unmask.model.encoder import Encoder
from unmask.model.heads import MaskedLM, Pretraining
from unmask.model.loss import linear_cross_entropy
from unmask.pretrain.batches import MaskedBatch
from unmask.train.config import Precision
from unmask.train.precision import autocast
from unmask.train.ranks import Ranks

PretrainModel = MaskedLM | Pretraining


class Sums(NamedTuple):
    """Sums over one micro-batch; they stay on the device."""

    loss: Tensor
    """Negative log-likelihood of the masked tokens, in nats."""
    right: Tensor
    """Masked tokens whose likeliest prediction is right."""
    nsp_loss: Tensor
    """Negative log-likelihood of the pairs; 0 where there are none."""
    nsp_right: Tensor
    """Pairs that were told right."""

    def stacked(self) -> Tensor:
        """The four numbers in one tensor, without the way back to the weights."""
        return torch.stack([one.detach().float() for one in self])


class Objective(nn.Module):
    """A model and its loss in one `forward`, as what wraps a module wants it."""

    def __init__(self, model: PretrainModel, precision: Precision) -> None:
        super().__init__()
        self.model = model
        self.precision = precision

    @property
    def encoder(self) -> Encoder:
        """The encoder inside."""
        return self._lm.encoder

    @property
    def _lm(self) -> MaskedLM:
        return self.model.lm if isinstance(self.model, Pretraining) else self.model

    def forward(self, batch: MaskedBatch) -> Sums:
        """Sum the losses of one micro-batch."""
        lm = self._lm
        types_BL = batch.types_BL
        with autocast(self.precision, batch.ids_BL.device):
            hidden_BND = lm.encoder.asked(
                batch.ids_BL, batch.places_BN, batch.mask_BL, types_BL, batch.real_T
            )
            hidden_MD = lm.transformed(hidden_BND.flatten(0, 1).index_select(0, batch.asked_M))
            loss, right = linear_cross_entropy(
                hidden_MD, lm.encoder.embedding.word.weight, lm.bias, batch.targets_M
            )
            if not isinstance(self.model, Pretraining):
                zero = torch.zeros_like(loss)
                return Sums(loss, right, zero, zero)
            follows_B2 = self.model.next_sentence(hidden_BND[:, 0])
        assert batch.follows_B is not None
        nsp_loss = F.cross_entropy(follows_B2.float(), batch.follows_B, reduction="sum")
        return Sums(loss, right, nsp_loss, (follows_B2.argmax(-1) == batch.follows_B).sum())

    if TYPE_CHECKING:
        __call__ = forward


class Losses(NamedTuple):
    """Means over a step, on the device; those of pairs are 0 where there are none."""

    loss: Tensor
    accuracy: Tensor
    nsp_loss: Tensor
    nsp_accuracy: Tensor

    @property
    def whole(self) -> Tensor:
        """What is minimised."""
        return self.loss + self.nsp_loss


@dataclasses.dataclass(frozen=True, slots=True)
class Counts:
    """What the micro-batches of a step hold, over all processes."""

    numbers: Tensor
    """Masked tokens, pairs, tokens, blocks, places (padding included)."""

    @classmethod
    def of(cls, batches: Sequence[MaskedBatch], ranks: Ranks) -> "Counts":
        """Count, and add up over the processes."""
        numbers = [
            sum(len(batch.targets_M) for batch in batches),
            sum(0 if batch.follows_B is None else len(batch.follows_B) for batch in batches),
            sum(batch.tokens for batch in batches),
            sum(len(batch.ids_BL) for batch in batches),
            sum(batch.ids_BL.numel() for batch in batches),
        ]
        here = torch.tensor(numbers, dtype=torch.float64)
        return cls(ranks.sum(here.to(ranks.device, non_blocking=True)))

    def mean_loss(self, sums: Sums) -> Tensor:
        """A micro-batch's share of the loss: the shares of a step add up to its mean."""
        masked, pairs = self._divisors()
        return sums.loss / masked + sums.nsp_loss / pairs

    def minimised(self, totals: Tensor) -> Tensor:
        """The mean loss of a whole step."""
        return self.means(totals).whole

    def means(self, sums_4: Tensor) -> Losses:
        """Divide the sums of a whole step."""
        masked, pairs = self._divisors()
        loss, right, nsp_loss, nsp_right = sums_4.unbind()
        return Losses(loss / masked, right / masked, nsp_loss / pairs, nsp_right / pairs)

    def _divisors(self) -> tuple[Tensor, Tensor]:
        # Independent draws may mask nothing at all; then there is nothing to divide, either.
        masked, pairs = self.numbers[:2].clamp(min=1).float().unbind()
        return masked, pairs
