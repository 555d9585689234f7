"""Dropout whose random numbers do not cost more than the layer before it."""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

LEVELS = 1 << 16
"""A chance is rounded to this many levels on a processor: 0.1 becomes 0.100006."""


def dropout(hidden: Tensor, chance: float) -> Tensor:
    """Zero each number with this chance and scale the others up (Srivastava et al. 2014).

    A card, and compiled code, draw as `F.dropout` does. On a processor torch draws one number after
    the other and one for each place; here 64 random bits serve four places.
    """
    if chance == 0:
        return hidden
    if not draws_slowly(hidden):
        return F.dropout(hidden, chance)
    dropped = round(chance * LEVELS)
    kept = _levels(hidden.numel()).view(hidden.shape) >= dropped - LEVELS // 2
    return hidden * torch.where(kept, LEVELS / (LEVELS - dropped), 0.0).to(hidden.dtype)


def draws_slowly(hidden: Tensor) -> bool:
    """Whether torch would draw the random numbers for this tensor one after the other."""
    return hidden.device.type == "cpu" and not torch.compiler.is_compiling()


def _levels(count: int) -> Tensor:
    """Numbers from -LEVELS / 2 on, as many as asked for."""
    words = torch.empty(count // 4 + 1, dtype=torch.int64)
    words.random_(torch.iinfo(torch.int64).min, None)
    return words.view(torch.int16)[:count]


class Dropout(nn.Module):
    """`dropout` while training."""

    def __init__(self, chance: float) -> None:
        super().__init__()
        self.chance = chance

    def forward(self, hidden: Tensor) -> Tensor:
        """Any shape, which stays."""
        return dropout(hidden, self.chance) if self.training else hidden
