"""Multi-head self-attention.

B batch, L length, D width, H heads, K head size.
"""

from typing import TYPE_CHECKING

from torch import Tensor, nn
from torch.nn import functional as F

from unmask.model.config import ModelConfig


class Attention(nn.Module):
    """Scaled dot-product attention over both directions (Vaswani et al. 2017, section 3.2).

    Query, key and value come out of one matrix product, stacked in this order.
    """

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        self.heads = config.heads
        self.dropout = config.attention_dropout
        self.qkv = nn.Linear(config.width, 3 * config.width)
        self.out = nn.Linear(config.width, config.width)

    def forward(self, hidden_BLD: Tensor, mask_B11L: Tensor | None = None) -> Tensor:
        """Mix the positions; mask_B11L is True where a position may be looked at."""
        q_BHLK, k_BHLK, v_BHLK = (
            part_BLD.unflatten(-1, (self.heads, -1)).transpose(1, 2)
            for part_BLD in self.qkv(hidden_BLD).chunk(3, dim=-1)
        )
        dropout = self.dropout if self.training else 0.0
        mixed_BHLK = F.scaled_dot_product_attention(q_BHLK, k_BHLK, v_BHLK, mask_B11L, dropout)
        out_BLD: Tensor = self.out(mixed_BHLK.transpose(1, 2).flatten(2))
        return out_BLD

    if TYPE_CHECKING:
        __call__ = forward
