"""Cross entropy of a linear layer's logits, which are held in memory once.

M masked positions, D width, V vocabulary.
"""

from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F

ROWS_AT_ONCE = 64
"""Rows whose probabilities are worked out in fp32 at a time: these fit into a processor's cache."""


def linear_cross_entropy(
    hidden_MD: Tensor, weight_VD: Tensor, bias_V: Tensor, targets_M: Tensor
) -> tuple[Tensor, Tensor]:
    """Sum the negative log-likelihoods of the targets, and count those that are likeliest.

    `F.cross_entropy` over `F.linear`, in nats. The logits are turned into their own gradient in
    place, so a step needs M * V numbers once instead of three times; they are in the precision of
    autocast, the sums in fp32.
    """
    loss, right = _LinearCrossEntropy.apply(hidden_MD, weight_VD, bias_V, targets_M)  # type: ignore[no-untyped-call]
    return loss, right


class _LinearCrossEntropy(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any,  # noqa: ANN401
        hidden_MD: Tensor,
        weight_VD: Tensor,
        bias_V: Tensor,
        targets_M: Tensor,
    ) -> tuple[Tensor, Tensor]:
        logits_MV = F.linear(hidden_MD, weight_VD, bias_V)
        loss_M, right_M = _into_gradient(logits_MV, targets_M)
        weight_VD = weight_VD.to(logits_MV.dtype)
        ctx.save_for_backward(hidden_MD, weight_VD, logits_MV)
        ctx.mark_non_differentiable(right_M)
        return loss_M.sum(), right_M.sum()

    @staticmethod
    def backward(ctx: Any, loss_gradient: Tensor, _: Tensor) -> tuple[Tensor | None, ...]:  # noqa: ANN401
        hidden_MD, weight_VD, gradient_MV = ctx.saved_tensors
        # The factor goes to the small operand: the large one is not written again.
        hidden_gradient_MD = (gradient_MV @ weight_VD).mul_(loss_gradient)
        scaled_MD = hidden_MD.to(gradient_MV.dtype) * loss_gradient.to(gradient_MV.dtype)
        weight_gradient_VD = gradient_MV.T @ scaled_MD
        bias_gradient_V = gradient_MV.sum(0, dtype=torch.float32) * loss_gradient
        return hidden_gradient_MD.to(hidden_MD.dtype), weight_gradient_VD, bias_gradient_V, None


def _into_gradient(logits_MV: Tensor, targets_M: Tensor) -> tuple[Tensor, Tensor]:
    """Replace logits by softmax minus one-hot; return the loss and the hits of every row."""
    losses, hits = [], []
    for rows_RV, targets_R in zip(
        torch.split(logits_MV, ROWS_AT_ONCE), torch.split(targets_M, ROWS_AT_ONCE), strict=True
    ):
        exact_RV = rows_RV.float()
        index_R1 = targets_R[:, None]
        target_R = exact_RV.gather(1, index_R1).squeeze(1)
        largest_R = exact_RV.amax(1)
        if exact_RV is rows_RV:
            hits.append(target_R == largest_R)
        else:  # in 16 bits several logits may be the largest, of which the first one counts
            hits.append(rows_RV.argmax(1) == targets_R)
        exact_RV.sub_(largest_R[:, None]).exp_()
        sum_R = exact_RV.sum(1)
        losses.append(sum_R.log() + largest_R - target_R)
        exact_RV.div_(sum_R[:, None])
        exact_RV.scatter_add_(1, index_R1, exact_RV.new_full(index_R1.shape, -1.0))
        if exact_RV is not rows_RV:
            rows_RV.copy_(exact_RV)
    return torch.cat(losses), torch.cat(hits)
