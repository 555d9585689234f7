"""One optimizer update."""

import math
from collections.abc import Callable, Sequence
from typing import TypeVar

import torch
from torch import nn

from unmask.core.errors import UserError

Batch = TypeVar("Batch")


def update(
    model: nn.Module,
    optimizer: torch.optim.Optimizer,
    micro_batches: Sequence[Batch],
    summed_loss: Callable[[Batch], torch.Tensor],
    *,
    count: int,
    lr: float,
    clip_norm: float,
) -> torch.Tensor:
    """Take one step on the mean loss over `count` targets; return that mean, still on the device.

    The sum over all micro-batches is divided by the number of targets in all of them, so the
    result does not depend on how a batch is cut (fairseq: trainer.py, normalised by sample_size).
    """
    optimizer.zero_grad(set_to_none=True)
    losses = []
    for batch in micro_batches:
        loss = summed_loss(batch) / count
        loss.backward()  # type: ignore[no-untyped-call]
        losses.append(loss.detach())
    if clip_norm > 0:
        nn.utils.clip_grad_norm_(model.parameters(), clip_norm)
    for group in optimizer.param_groups:
        group["lr"] = lr
    optimizer.step()
    return torch.stack(losses).sum()


def require_finite(loss: float, step: int) -> None:
    """Stop a run whose loss is no number any more, before it is saved."""
    if not math.isfinite(loss):
        raise UserError(
            f"step {step}: the loss is {loss}",
            "go on from the last checkpoint with a lower --optim.peak-lr, or set --optim.clip-norm",
        )


def due(step: int, every: int, total: int) -> bool:
    """Whether something that happens every so many steps happens after `step` of `total`."""
    return step % every == 0 or step == total
