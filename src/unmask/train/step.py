"""One optimizer update, once the gradients are there."""

from typing import Any

import torch
from torch import Tensor, nn

from unmask.core.errors import UserError
from unmask.train.guard import Guard
from unmask.train.parallel import gradient_norm
from unmask.train.precision import LossScale


def descend(
    module: nn.Module,
    optimizer: torch.optim.Optimizer,
    *,
    lr: float,
    clip_norm: float,
    loss: Tensor,
    guard: Guard,
    scale: LossScale | None = None,
) -> Tensor:
    """Take one step down the gradients, or leave it out; return their norm, on the device.

    Clipping (0: none) and the loss scale of fp16 are one factor, which the fused optimizer divides
    by while it reads the gradients; so nothing waits for a number to come back from the device.
    """
    norm = gradient_norm(module)
    divisor: Tensor | None = None  # with one, a fused optimizer writes all gradients again
    too_large = torch.zeros_like(norm)
    if scale is not None:
        norm = norm / scale.value
        divisor = scale.value.clone()
        # While the scale is above 1, an overflow is how it is found: nothing went wrong.
        overflow = ~norm.isfinite()
        too_large = (overflow & (scale.value > 1)).float()
        scale.update(overflow=overflow)
    if clip_norm > 0:
        over = (norm / clip_norm).clamp(min=1.0)
        divisor = over if divisor is None else divisor * over
    left_out = torch.maximum(guard.judge(loss, norm.where(too_large == 0, 0.0)), too_large)
    for group in optimizer.param_groups:
        group["lr"] = lr * group.get("share", 1.0)
    _leave_out(optimizer, left_out, divisor)
    optimizer.step()
    return norm


def _leave_out(optimizer: Any, left_out: Tensor, divisor: Tensor | None) -> None:  # noqa: ANN401
    """Tell a fused optimizer what GradScaler would tell it (torch.amp, `_maybe_opt_step`)."""
    optimizer.found_inf = left_out
    optimizer.grad_scale = divisor


def require_finite(loss: float, step: int) -> None:
    """Stop a fine-tuning whose loss is no number any more."""
    if loss != loss or loss in (float("inf"), float("-inf")):
        raise UserError(
            f"step {step}: the loss is {loss}",
            "lower --optim.peak-lr, or set --optim.clip-norm",
        )


def due(step: int, every: int, total: int) -> bool:
    """Whether something that happens every so many steps happens after `step` of `total`."""
    return step % every == 0 or step == total
