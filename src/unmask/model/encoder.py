"""The encoder: embedding and post-LN transformer blocks.

B batch, L length, T real tokens, N asked places of a sequence, D width, F feed-forward,
V vocabulary.
"""

from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.utils.checkpoint import checkpoint

from unmask.model.attention import Attention
from unmask.model.config import ModelConfig
from unmask.model.dropout import Dropout
from unmask.model.packing import Joined, Packing


class Embedding(nn.Module):
    """Word + type + position, normalised."""

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        self.config = config
        # No gradient reaches a padding row: that of words, and RoBERTa's position of padding.
        position_pad = config.pad_id if config.family == "roberta" else None
        self.word = nn.Embedding(config.vocabulary, config.width, config.pad_id)
        self.position = nn.Embedding(config.position_rows, config.width, position_pad)
        self.token_type = nn.Embedding(config.types, config.width)
        self.norm = nn.LayerNorm(config.width, config.norm_eps)
        self.dropout = Dropout(config.dropout)

    def forward(
        self, ids_BL: Tensor, types_BL: Tensor | None = None, positions_BL: Tensor | None = None
    ) -> Tensor:
        """Embed tokens; without types_BL every token is of type 0.

        positions_BL are rows of the position table, for ids that do not show where they stand.
        """
        type_BLD = self.token_type.weight[0] if types_BL is None else self.token_type(types_BL)
        rows_BL = self.positions(ids_BL) if positions_BL is None else positions_BL
        hidden_BLD = self.word(ids_BL) + type_BLD + self.position(rows_BL)
        out_BLD: Tensor = self.dropout(self.norm(hidden_BLD))
        return out_BLD

    def positions(self, ids_BL: Tensor) -> Tensor:
        """Rows of the position table, (B, L) for RoBERTa and (L,) for BERT.

        RoBERTa counts the tokens that are no padding, starting at pad_id + 1, and gives pad_id
        to padding (fairseq/utils.py, make_positions); so padding on either side changes nothing.
        """
        if self.config.family == "bert":
            return torch.arange(ids_BL.shape[1], device=ids_BL.device)
        real_BL = (ids_BL != self.config.pad_id).long()
        return real_BL.cumsum(1) * real_BL + self.config.pad_id

    if TYPE_CHECKING:
        __call__ = forward


class Block(nn.Module):
    """One post-LN transformer layer (Vaswani et al. 2017, section 3.1)."""

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        self.attention = Attention(config)
        self.attention_norm = nn.LayerNorm(config.width, config.norm_eps)
        self.up = nn.Linear(config.width, config.feed_forward)
        self.down = nn.Linear(config.feed_forward, config.width)
        self.feed_forward_norm = nn.LayerNorm(config.width, config.norm_eps)
        self.dropout = Dropout(config.dropout)

    def forward(
        self,
        hidden_BLD: Tensor,
        mask_B11L: Tensor | None = None,
        places_BN: Tensor | None = None,
        packing: Packing | Joined | None = None,
    ) -> Tensor:
        """Attend, add, normalise; feed forward, add, normalise.

        With a packing, the states are those of its real tokens, (T, D). With places_BN, only what
        comes out there is computed, (B, N, D).
        """
        if places_BN is None:
            return self._fed(hidden_BLD, self.attention(hidden_BLD, mask_B11L, packing))
        if packing is None:
            index_BND = places_BN[..., None].expand(-1, -1, hidden_BLD.shape[-1])
            asked_BND = hidden_BLD.gather(1, index_BND)
        else:
            asked_BND = packing.at(hidden_BLD, places_BN)
        mixed_BND = self.attention.asked(asked_BND, hidden_BLD, mask_B11L, packing)
        return self._fed(asked_BND, mixed_BND)

    def _fed(self, hidden_BLD: Tensor, mixed_BLD: Tensor) -> Tensor:
        hidden_BLD = self.attention_norm(hidden_BLD + self.dropout(mixed_BLD))
        fed_BLD = self.down(F.gelu(self.up(hidden_BLD)))
        out_BLD: Tensor = self.feed_forward_norm(hidden_BLD + self.dropout(fed_BLD))
        return out_BLD

    if TYPE_CHECKING:
        __call__ = forward


class Encoder(nn.Module):
    """RoBERTa (Liu et al. 2019) or BERT (Devlin et al. 2019) without a head."""

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        self.config = config
        self.embedding = Embedding(config)
        self.blocks = nn.ModuleList(Block(config) for _ in range(config.layers))
        self.recompute = False
        """Whether `asked` keeps nothing within a block and computes it again going back."""

    def forward(
        self, ids_BL: Tensor, mask_BL: Tensor | None = None, types_BL: Tensor | None = None
    ) -> Tensor:
        """Encode ids_BL (int64) to hidden_BLD.

        mask_BL (bool) is True at real tokens; None says that there is no padding. At padding
        the result means nothing. At most config.max_length tokens.
        """
        mask_B11L = _broadcast(mask_BL)
        hidden_BLD = self.embedding(ids_BL, types_BL)
        for block in self.blocks:
            hidden_BLD = block(hidden_BLD, mask_B11L)
        return hidden_BLD

    def asked(
        self,
        ids_BL: Tensor,
        places_BN: Tensor,
        mask_BL: Tensor | None = None,
        types_BL: Tensor | None = None,
        real_T: Tensor | None = None,
    ) -> Tensor:
        """What `forward` gives at the places, (B, N, D): the last layer computes nothing else.

        Elsewhere its states are looked at by nobody, as it is the last. Of its work only the keys
        and values are left there: 4 of 24 D * D products a token. With real_T, the flat places of
        real tokens, padding is computed in attention alone.
        """
        packing = _packing(mask_BL, real_T)
        mask_B11L = _broadcast(mask_BL)
        hidden_BLD = self._before_last(ids_BL, mask_B11L, types_BL, packing)
        out_BND: Tensor = self.blocks[-1](hidden_BLD, mask_B11L, places_BN, packing)
        return out_BND

    def packed(
        self,
        ids_BL: Tensor,
        mask_BL: Tensor | None = None,
        types_BL: Tensor | None = None,
        real_T: Tensor | None = None,
    ) -> Tensor:
        """What `forward` gives at real tokens, (T, D); padding is computed in attention alone."""
        packing = _packing(mask_BL, real_T)
        mask_B11L = _broadcast(mask_BL)
        hidden_BLD = self._before_last(ids_BL, mask_B11L, types_BL, packing)
        out_BLD: Tensor = self.blocks[-1](hidden_BLD, mask_B11L, None, packing)
        return out_BLD if packing is not None else out_BLD.flatten(0, 1)

    def joined(
        self,
        ids_T: Tensor,
        positions_T: Tensor,
        types_T: Tensor,
        sequences: Joined,
        places_BN: Tensor | None = None,
    ) -> Tensor:
        """What `forward` gives for sequences that stand end to end, (T, D); for inference.

        positions_T are rows of the position table. With places_BN, which are counted from the
        first token of all, the last layer computes nothing else, (B, N, D).
        """
        hidden_TD = self.embedding(ids_T, types_T, positions_T)
        for block in self.blocks[:-1]:
            hidden_TD = block(hidden_TD, packing=sequences)
        out_TD: Tensor = self.blocks[-1](hidden_TD, None, places_BN, sequences)
        return out_TD

    def _before_last(
        self,
        ids_BL: Tensor,
        mask_B11L: Tensor | None,
        types_BL: Tensor | None,
        packing: Packing | None,
    ) -> Tensor:
        """The states that go into the last layer."""
        hidden_BLD = self.embedding(ids_BL, types_BL)
        if packing is not None:
            hidden_BLD = packing.packed(hidden_BLD)
        for block in self.blocks[:-1]:
            if self.recompute and self.training:
                kept = hidden_BLD, mask_B11L, None, packing
                hidden_BLD = checkpoint(block, *kept, use_reentrant=False)
            else:
                hidden_BLD = block(hidden_BLD, mask_B11L, None, packing)
        return hidden_BLD

    def hidden_states(
        self, ids_BL: Tensor, mask_BL: Tensor | None = None, types_BL: Tensor | None = None
    ) -> list[Tensor]:
        """Give all layers + 1 states: first the embedding, last what forward gives."""
        mask_B11L = _broadcast(mask_BL)
        states = [self.embedding(ids_BL, types_BL)]
        for block in self.blocks:
            states.append(block(states[-1], mask_B11L))
        return states

    if TYPE_CHECKING:
        __call__ = forward


def _packing(mask_BL: Tensor | None, real_T: Tensor | None) -> Packing | None:
    return None if mask_BL is None or real_T is None else Packing.of(mask_BL, real_T)


def _broadcast(mask_BL: Tensor | None) -> Tensor | None:
    """Let every head and every query look at the same keys."""
    return None if mask_BL is None else mask_BL[:, None, None, :]
