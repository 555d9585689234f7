"""AdamW over a model's parameters."""

from collections import defaultdict
from collections.abc import Iterable

import torch
from torch import nn

from unmask.train.config import OptimConfig


def adamw(
    model: nn.Module, config: OptimConfig, shares: dict[str, float] | None = None
) -> torch.optim.AdamW:
    """Build fused AdamW; with `decay = "matrices"`, vectors (bias, LayerNorm) are not decayed.

    `shares` says by the names of parameters which share of the learning rate they take; 1 where it
    says nothing.
    """
    groups: defaultdict[tuple[float, float], list[nn.Parameter]] = defaultdict(list)
    for name, parameter in _learning(model):
        decayed = config.decay == "all" or parameter.ndim > 1
        share = (shares or {}).get(name, 1.0)
        groups[config.weight_decay if decayed else 0.0, share].append(parameter)
    return torch.optim.AdamW(
        [
            {"params": parameters, "weight_decay": decay, "share": share}
            for (decay, share), parameters in groups.items()
        ],
        lr=config.peak_lr,
        betas=(config.beta1, config.beta2),
        eps=config.eps,
        fused=True,
    )


def _learning(model: nn.Module) -> Iterable[tuple[str, nn.Parameter]]:
    return ((name, one) for name, one in model.named_parameters() if one.requires_grad)
