"""Units: the neighbouring positions of a block that are masked together or not at all.

A unit is known by its head, its first position. Where units are tokens, each is its own head.

Legend: B blocks, L length, T = B * L positions, M masked positions, U units.
"""

import dataclasses

from unmask.core.hashing import IntArray
from unmask.pretrain.masking.arrays import BoolArray, namespace, numbers, where_true


@dataclasses.dataclass(frozen=True, slots=True)
class Units:
    """The units of some blocks; a unit ends where the next begins or a position has none."""

    member_BL: BoolArray
    """True at positions that may be masked."""
    head_BL: BoolArray
    """True at the first position of each unit."""

    def sizes(self) -> IntArray:
        """The positions of each unit, [B, L] at its head and 0 elsewhere."""
        xp = namespace(self.member_BL)
        head_U = where_true(self.head_BL)
        number_T = self._numbers()
        counts_U = xp.bincount(number_T[where_true(self.member_BL)], minlength=len(head_U))
        sizes_T = xp.zeros_like(number_T)
        sizes_T[head_U] = counts_U
        return sizes_T.reshape(self.member_BL.shape)

    def spread(self, chosen_BL: BoolArray) -> tuple[IntArray, IntArray]:
        """All positions of the units with a chosen head: (position, its head), flat, ascending."""
        head_U = where_true(self.head_BL)
        if len(head_U) == 0:
            return head_U, head_U
        number_T = self._numbers()
        # positions in front of the first unit have number -1, and are members of none
        chosen_T = chosen_BL.reshape(-1)[head_U][number_T]
        position_M = where_true(chosen_T & self.member_BL.reshape(-1))
        return position_M, head_U[number_T[position_M]]

    def _numbers(self) -> IntArray:
        return namespace(self.head_BL).cumsum(self.head_BL.reshape(-1), axis=0) - 1


def tokens(member_BL: BoolArray) -> Units:
    """Each position that may be masked, on its own."""
    return Units(member_BL, member_BL)


def grouped(member_BL: BoolArray, begins_BL: BoolArray) -> Units:
    """Units that begin where `begins_BL` says and behind every position that has no unit."""
    return Units(member_BL, member_BL & (begins_BL | follows_none(member_BL)))


def ordinals(units: Units) -> IntArray:
    """The number of each position's unit within its block, from 0, [B, L]."""
    return namespace(units.head_BL).cumsum(units.head_BL, axis=1) - 1


def follows_none(member_BL: BoolArray) -> BoolArray:
    """True at the first position of a block and behind positions that have no unit."""
    xp = namespace(member_BL)
    follows_BL = xp.ones_like(member_BL)
    follows_BL[:, 1:] = ~member_BL[:, :-1]
    return follows_BL


def rows(position_M: IntArray, length: int) -> tuple[IntArray, IntArray]:
    """Split flat positions into (block, place in the block)."""
    row_M = position_M // length
    return row_M, position_M - row_M * length


def first_of_rows(array_BL: IntArray | BoolArray) -> IntArray:
    """The flat index of each row's first element, [B, 1]."""
    rows_, length = array_BL.shape
    return (numbers(rows_, array_BL) * length)[:, None]
