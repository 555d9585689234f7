"""Padded blocks without their padding: what is computed for each token alone skips it.

Only attention looks at blocks, and at groups of them that are of like length: what it computes of
padding is little then. Where a kernel is told the limits of sequences, there are no blocks at all.

B blocks, L length, T real tokens, N asked places of a block, D any width; G blocks of a group, W
the length of its longest, R its real tokens; S sequences and one more, Q queries, H heads, K head
size.
"""

import dataclasses
from collections.abc import Callable, Iterator
from typing import TypeAlias

import torch
from torch import Tensor

ALIKE = 0.5
"""A block of no more than this share of the longest one's length begins another group."""

Kernel: TypeAlias = Callable[[Tensor, Tensor, Tensor, Tensor, Tensor, int, int], Tensor]
"""Attention within sequences that stand end to end: (q_QHK, k_THK, v_THK, where the queries of each
begin, where its keys begin, the most queries of one, the most keys) to (Q, H, K). It is called as
torch.nn.attention.varlen.varlen_attn is."""


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


@dataclasses.dataclass(frozen=True, slots=True)
class Joined:
    """Sequences end to end, whose limits the kernel of attention is told: no padding anywhere.

    Nothing here waits for a card, and every shape follows from the shapes of the tensors, so that
    a CUDA graph of it serves other lengths too. For inference: the kernel has no dropout.
    """

    starts_S: Tensor
    """Where each sequence begins, and where the last ends, (B + 1,) int32; one may be empty."""
    longest: int
    """No sequence has more tokens; it may be more than the longest has."""
    kernel: Kernel

    def at(self, joined_TD: Tensor, places_BN: Tensor) -> Tensor:
        """The tokens at some places, (B, N, D), which are counted from the first of all."""
        return joined_TD.index_select(0, places_BN.flatten()).view(*places_BN.shape, -1)

    def mixed(self, heads: int, q_TD: Tensor, k_TD: Tensor, v_TD: Tensor) -> Tensor:
        """Attention of every token to its sequence, (T, D)."""
        limits = self.starts_S, self.starts_S, self.longest, self.longest
        q_THK, k_THK, v_THK = _by_head(heads, q_TD, k_TD, v_TD)
        return self.kernel(q_THK, k_THK, v_THK, *limits).flatten(1)

    def asked(self, heads: int, q_BND: Tensor, k_TD: Tensor, v_TD: Tensor) -> Tensor:
        """Attention of N queries of each sequence to it, (B, N, D)."""
        count, device = q_BND.shape[1], q_BND.device
        numbers_S = torch.arange(len(self.starts_S), dtype=torch.int32, device=device)
        limits = numbers_S * count, self.starts_S, count, self.longest
        q_QHK, k_THK, v_THK = _by_head(heads, q_BND.flatten(0, 1), k_TD, v_TD)
        return self.kernel(q_QHK, k_THK, v_THK, *limits).reshape(q_BND.shape)


def _by_head(heads: int, *parts_TD: Tensor) -> list[Tensor]:
    return [torch.unflatten(part_TD, -1, (heads, -1)) for part_TD in parts_TD]


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
