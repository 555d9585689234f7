"""Which layers learn, and how fast: frozen ones, and a rate that falls from layer to layer."""

import re

from torch import nn

from unmask.core.errors import UserError
from unmask.finetune.forward import FinetunedModel

PLACE = re.compile(r"(?:^|\.)encoder\.(?:embedding|blocks\.(\d+))\.")


def frozen(model: FinetunedModel, layers: int) -> None:
    """Keep the embedding and the lowest layers as they are; UserError if there are fewer."""
    blocks = model.encoder.blocks
    if layers > len(blocks):
        raise UserError(
            f"--frozen-layers {layers}: the model has {len(blocks)}",
            f"give {len(blocks)} to train the head alone, or less",
        )
    for part in (model.encoder.embedding, *blocks[:layers]):
        part.requires_grad_(requires_grad=False)


def learning_shares(module: nn.Module, decay: float) -> dict[str, float]:
    """The share of the learning rate by parameter: 1 for the head, `decay` less a layer below.

    The layer below the head has `decay`, the embedding decay ** (layers + 1) (Howard and Ruder
    2018, ULMFiT, section 3.2; Clark et al. 2020, ELECTRA, appendix A).
    """
    found = {name: PLACE.search(name) for name, _ in module.named_parameters()}
    numbers = [int(match[1]) for match in found.values() if match and match[1]]
    top = max(numbers, default=-1) + 1
    return {
        name: 1.0 if match is None else decay ** (top - int(match[1] or -1))
        for name, match in found.items()
    }
