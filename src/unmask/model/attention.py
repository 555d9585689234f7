"""Multi-head self-attention.

B batch, L length, T real tokens, N asked places of a sequence, D width, H heads, K head size.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from unmask.model.config import ModelConfig
from unmask.model.dropout import draws_slowly, dropout
from unmask.model.packing import Joined, Packing


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

    def forward(
        self,
        hidden_BLD: Tensor,
        mask_B11L: Tensor | None = None,
        packing: Packing | Joined | None = None,
    ) -> Tensor:
        """Mix the positions; mask_B11L is True where a position may be looked at.

        With a packing, what comes in and goes out are its real tokens, (T, D).
        """
        parts_BLD = self.qkv(hidden_BLD)
        if packing is None:
            mixed_BLD = self._mixed(self._heads(parts_BLD, 3), mask_B11L)
        elif isinstance(packing, Joined):
            mixed_BLD = packing.mixed(self.heads, *parts_BLD.chunk(3, dim=-1))
        else:
            mixed_BLD = torch.cat(
                [
                    group.packed(
                        self._mixed(self._heads(group.padded(part_RD), 3), group.mask_G11W)
                    )
                    for group, part_RD in packing.parts(parts_BLD)
                ]
            )
        out_BLD: Tensor = self.out(mixed_BLD)
        return out_BLD

    def asked(
        self,
        asked_BND: Tensor,
        hidden_BLD: Tensor,
        mask_B11L: Tensor | None = None,
        packing: Packing | Joined | None = None,
    ) -> Tensor:
        """Mix the positions for some of them only, whose states are given: (B, N, D)."""
        width = hidden_BLD.shape[-1]
        weight, bias = self.qkv.weight, self.qkv.bias
        q_BND = F.linear(asked_BND, weight[:width], bias[:width])
        parts_BLD = F.linear(hidden_BLD, weight[width:], bias[width:])
        if packing is None:
            heads = self._heads(q_BND, 1) + self._heads(parts_BLD, 2)
            mixed_BND = self._mixed(heads, mask_B11L)
        elif isinstance(packing, Joined):
            mixed_BND = packing.asked(self.heads, q_BND, *parts_BLD.chunk(2, dim=-1))
        else:
            mixed_BND = torch.cat(
                [
                    self._mixed(
                        self._heads(q_GND, 1) + self._heads(group.padded(part_RD), 2),
                        group.mask_G11W,
                    )
                    for q_GND, (group, part_RD) in zip(
                        packing.blocks(q_BND), packing.parts(parts_BLD), strict=True
                    )
                ]
            )
        out_BND: Tensor = self.out(mixed_BND)
        return out_BND

    def _heads(self, parts_BLD: Tensor, count: int) -> list[Tensor]:
        return [
            torch.unflatten(part_BLD, -1, (self.heads, -1)).transpose(1, 2)
            for part_BLD in parts_BLD.chunk(count, dim=-1)
        ]

    def _mixed(self, heads: Sequence[Tensor], mask_B11L: Tensor | None) -> Tensor:
        """Attention of queries, keys and values: (B, N, D)."""
        q_BHNK, k_BHLK, v_BHLK = heads
        chance = self.dropout if self.training else 0.0
        if chance > 0 and draws_slowly(q_BHNK):
            mixed_BHNK = _with_dropout(q_BHNK, k_BHLK, v_BHLK, mask_B11L, chance)
        else:
            mixed_BHNK = F.scaled_dot_product_attention(q_BHNK, k_BHLK, v_BHLK, mask_B11L, chance)
        return mixed_BHNK.transpose(1, 2).flatten(2)

    if TYPE_CHECKING:
        __call__ = forward


def _with_dropout(
    q_BHNK: Tensor, k_BHLK: Tensor, v_BHLK: Tensor, mask_B11L: Tensor | None, chance: float
) -> Tensor:
    """Attention spelt out: what torch does on a processor, too, but with a faster dropout.

    Its fast kernel there knows no dropout (aten/src/ATen/native/transformers/sdp_utils_cpp.cpp).
    """
    scores_BHNL = (q_BHNK * q_BHNK.shape[-1] ** -0.5) @ k_BHLK.transpose(2, 3)
    if mask_B11L is not None:
        scores_BHNL = scores_BHNL.masked_fill(~mask_B11L, -torch.inf)
    weights_BHNL = dropout(scores_BHNL.softmax(-1), chance)
    return weights_BHNL.to(v_BHLK.dtype) @ v_BHLK
