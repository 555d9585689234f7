"""Padded blocks without their padding: what is computed for each token alone skips it.

B blocks, L length, T real tokens, N asked places of a block, D any width.
"""

import dataclasses

from torch import Tensor


@dataclasses.dataclass(frozen=True, slots=True)
class Packing:
    """Where the real tokens of padded blocks stand; each block begins with its own."""

    mask_BL: Tensor
    """True at real tokens."""
    real_T: Tensor
    """Their flat places in B * L, ascending."""

    def packed(self, padded_BLD: Tensor) -> Tensor:
        """The real tokens, (T, D)."""
        return padded_BLD.flatten(0, 1).index_select(0, self.real_T)

    def padded(self, packed_TD: Tensor) -> Tensor:
        """Blocks again, (B, L, D), with zeros at padding: attention looks at whole blocks."""
        blocks, length = self.mask_BL.shape
        places_PD = packed_TD.new_zeros(blocks * length, packed_TD.shape[-1])
        padded_PD: Tensor = places_PD.index_copy(0, self.real_T, packed_TD)
        return padded_PD.view(blocks, length, -1)

    def at(self, packed_TD: Tensor, places_BN: Tensor) -> Tensor:
        """The tokens at some places of each block, (B, N, D)."""
        length_B = self.mask_BL.sum(1)
        index_BN = (length_B.cumsum(0) - length_B)[:, None] + places_BN
        return packed_TD.index_select(0, index_BN.flatten()).view(*places_BN.shape, -1)
