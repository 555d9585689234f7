"""Held-out loss, perplexity and masked accuracy; of pairs, also how many are told right."""

import dataclasses
import math

import torch
from torch import nn

from unmask.core.progress import bar
from unmask.pretrain.batches import Batches
from unmask.train.ranks import Ranks


@dataclasses.dataclass(frozen=True, slots=True)
class HeldOut:
    """Scores over the masked tokens of held-out blocks."""

    loss: float
    """Mean negative log-likelihood in nats (fairseq logs bits: divide by ln 2)."""
    perplexity: float
    """exp(loss)."""
    accuracy: float
    """Share of masked tokens whose likeliest prediction is right."""
    masked_tokens: int
    nsp_loss: float | None = None
    """Mean negative log-likelihood of pairs in nats; None where the plan has none."""
    nsp_accuracy: float | None = None
    """Share of pairs of which it is told right whether the second segment follows the first."""

    def row(self) -> dict[str, float]:
        """Its scores by name, without those that the plan does not have."""
        fields = dataclasses.asdict(self)
        return {name: value for name, value in fields.items() if value is not None}

    def said(self) -> str:
        """Its scores in a few words."""
        words = (
            f"loss {self.loss:.3f}, perplexity {self.perplexity:,.1f}, "
            f"masked accuracy {self.accuracy:.1%}"
        )
        if self.nsp_accuracy is None:
            return words
        return f"{words}, next-sentence accuracy {self.nsp_accuracy:.1%}"


@torch.no_grad()
def held_out(objective: nn.Module, batches: Batches, ranks: Ranks) -> HeldOut:
    """Score the first blocks of the split, with the masks of its epoch 0.

    Always the same blocks and masks, so that numbers along a run can be compared. Every process
    scores its share.
    """
    objective.eval()
    blocks = min(batches.blocks, batches.plan.count)
    sums = torch.zeros(6, dtype=torch.float64, device=ranks.device)
    shown = 0
    with bar("held-out loss", blocks) as progress:
        for here in batches.after(0, blocks, rank=ranks.rank, ranks=ranks.size):
            batch = here.to(ranks.device)
            pairs = 0 if batch.follows_B is None else len(batch.follows_B)
            counts = torch.tensor([len(batch.targets_M), pairs], dtype=torch.float64)
            sums += torch.cat([objective(batch).stacked().double(), counts.to(ranks.device)])
            about = min(len(batch.ids_BL) * ranks.size, blocks - shown)  # what all have done
            shown += about
            progress.advance(about)
    loss, right, nsp_loss, nsp_right, masked, pairs = ranks.sum(sums).tolist()
    mean = loss / max(1, masked)  # independent draws may mask nothing at all
    scores = HeldOut(mean, math.exp(min(mean, 700.0)), right / max(1, masked), int(masked))
    if not pairs:
        return scores
    return dataclasses.replace(scores, nsp_loss=nsp_loss / pairs, nsp_accuracy=nsp_right / pairs)
