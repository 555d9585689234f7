"""Held-out loss, perplexity and masked accuracy."""

import dataclasses
import math

import torch
from torch.nn import functional as F

from unmask.core.progress import bar
from unmask.model.heads import MaskedLM
from unmask.pretrain.batches import Batches
from unmask.train.config import Precision
from unmask.train.precision import autocast


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


@torch.inference_mode()
def held_out(
    model: MaskedLM, batches: Batches, *, blocks: int, micro_batch: int, precision: Precision
) -> HeldOut:
    """Score the first `blocks` blocks of the split, with the masks of its epoch 0.

    Always the same blocks and masks, so that numbers along a run can be compared.
    """
    model.eval()
    loss, right, count = 0.0, 0, 0
    with bar("held-out loss", blocks) as progress:
        for first in range(0, blocks, micro_batch):
            size = min(micro_batch, blocks - first)
            batch = batches.at(first, size)
            with autocast(precision, batch.ids_BL.device):
                logits_MV = model(batch.ids_BL, batch.mask_BL, positions_M=batch.positions_M)
            logits_MV = logits_MV.float()
            loss += float(F.cross_entropy(logits_MV, batch.targets_M, reduction="sum"))
            right += int((logits_MV.argmax(-1) == batch.targets_M).sum())
            count += len(batch.targets_M)
            progress.advance(size)
    mean = loss / count
    return HeldOut(mean, math.exp(min(mean, 700.0)), right / count, count)
