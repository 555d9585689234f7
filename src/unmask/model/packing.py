"""Padded blocks without their padding: what is computed for each token alone skips it.

Only attention looks at blocks, and at groups of them that are of like length: what it computes of
padding is little then.

B blocks, L length, T real tokens, N asked places of a block, D any width; G blocks of a group, W
the length of its longest, R its real tokens.
"""

import dataclasses
from collections.abc import Iterator

import torch
from torch import Tensor

ALIKE = 0.5
"""A block of no more than this share of the longest one's length begins another group."""


@dataclasses.dataclass(frozen=True, slots=True)
class Group:
    """Blocks of like length, one after the other."""

    blocks: int
    width: int
    tokens: int
    mask_G11W: Tensor | None
    """True at real tokens; None where all are."""
    real_R: Tensor | None
    """Their flat places in G * W."""

    def padded(self, packed_RD: Tensor) -> Tensor:
        """Blocks, (G, W, D), with zeros at padding."""
        shape = self.blocks, self.width, packed_RD.shape[-1]
        if self.real_R is None:
            return packed_RD.view(shape)
        places_PD = packed_RD.new_zeros(self.blocks * self.width, packed_RD.shape[-1])
        padded_PD: Tensor = places_PD.index_copy(0, self.real_R, packed_RD)
        return padded_PD.view(shape)

    def packed(self, padded_GWD: Tensor) -> Tensor:
        """The real tokens, (R, D)."""
        flat_PD = padded_GWD.flatten(0, 1)
        return flat_PD if self.real_R is None else flat_PD.index_select(0, self.real_R)


@dataclasses.dataclass(frozen=True, slots=True)
class Packing:
    """Where the real tokens of padded blocks stand; each block begins with its own."""

    mask_BL: Tensor
    """True at real tokens."""
    real_T: Tensor
    """Their flat places in B * L, ascending."""
    groups: tuple[Group, ...]

    @classmethod
    def of(cls, mask_BL: Tensor, real_T: Tensor) -> "Packing":
        """Group neighbours of like length; on a card all are one group, as it is not waited for."""
        if mask_BL.device.type != "cpu":
            blocks, width = mask_BL.shape
            whole = Group(blocks, width, len(real_T), mask_BL[:, None, None, :], real_T)
            return cls(mask_BL, real_T, (whole,))
        return cls(mask_BL, real_T, tuple(_groups(mask_BL)))

    def packed(self, padded_BLD: Tensor) -> Tensor:
        """The real tokens, (T, D)."""
        return padded_BLD.flatten(0, 1).index_select(0, self.real_T)

    def parts(self, packed_TD: Tensor) -> Iterator[tuple[Group, Tensor]]:
        """Each group with its tokens, (R, D)."""
        tokens = torch.split(packed_TD, [group.tokens for group in self.groups])
        return zip(self.groups, tokens, strict=True)

    def blocks(self, by_block_BND: Tensor) -> tuple[Tensor, ...]:
        """What there is of each group's blocks, (G, N, D)."""
        return torch.split(by_block_BND, [group.blocks for group in self.groups])

    def at(self, packed_TD: Tensor, places_BN: Tensor) -> Tensor:
        """The tokens at some places of each block, (B, N, D)."""
        length_B = self.mask_BL.sum(1)
        index_BN = (length_B.cumsum(0) - length_B)[:, None] + places_BN
        return packed_TD.index_select(0, index_BN.flatten()).view(*places_BN.shape, -1)


def _groups(mask_BL: Tensor) -> Iterator[Group]:
    lengths = mask_BL.sum(1).tolist()
    first = 0
    for block in range(1, len(lengths) + 1):
        ended = block == len(lengths)
        if ended or lengths[block] <= ALIKE * max(lengths[first:block]):
            yield _group(mask_BL[first:block], lengths[first:block])
            first = block


def _group(mask_GL: Tensor, lengths: list[int]) -> Group:
    width, tokens = max(lengths), sum(lengths)
    if tokens == width * len(lengths):
        return Group(len(lengths), width, tokens, None, None)
    mask_GW = mask_GL[:, :width]
    real_R = torch.nonzero(mask_GW.flatten()).squeeze(1)
    return Group(len(lengths), width, tokens, mask_GW[:, None, None, :], real_R)
