"""Plans whose blocks are runs of the stream, whatever the format.

The index of a plan is a few integers a block, so that it fits into memory for any corpus: from
them and the shard's two files any block is read without looking at the rest of the shard.

Legend: B blocks, L block length, U units, T tokens.
"""

import dataclasses
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from unmask.tokens import format as shards
from unmask.tokens.format import Codes, Ints
from unmask.tokens.plans.blocks import Blocks, SpecialIds
from unmask.tokens.plans.plan import Report, totals
from unmask.tokens.plans.stream import Separators, Stream
from unmask.tokens.read import Shard

Small = npt.NDArray[np.uint32]
COLUMNS = 7


@dataclasses.dataclass(frozen=True, slots=True)
class Cuts:
    """Where a format cuts the stream of one shard, and what that costs."""

    lo_B: Ints
    hi_B: Ints
    sentences_cut: int = 0


@dataclasses.dataclass(frozen=True, slots=True)
class Format:
    """An input format: its separators and its way to cut a stream."""

    separators: Separators
    cut: Callable[[Stream, int], Cuts]
    """Given the stream and the places of a block (`<s>` at its head not counted)."""
    head: bool = True
    """Whether each block begins with `<s>`."""
    balanced: bool = False


@dataclasses.dataclass(frozen=True, slots=True)
class _Index:
    """One entry a block."""

    shard: Small
    byte: Small
    """Where the code of its first unit begins."""
    bytes: Small
    """The length of the codes of all its units."""
    skip: Small
    """Places of the first unit that belong to earlier blocks."""
    token: Small
    """Its first token."""
    tokens: Small


class Runs:
    """The plan of one split in a format whose blocks are runs of the stream."""

    def __init__(
        self, shards_: Sequence[Shard], length: int, special: SpecialIds, format_: Format
    ) -> None:
        self._shards, self._special, self._format = shards_, special, format_
        self.length, self.balanced = length, format_.balanced
        self._cut = self._dropped = self._crossing = 0
        *columns, places_B = _joined([self._plan(*shard) for shard in enumerate(shards_)])
        self._index = _Index(*columns)
        self.lengths_B = places_B + np.uint32(format_.head)
        self.count = len(places_B)

    def _plan(self, number: int, shard: Shard) -> list[Small]:
        """Cut one shard; return the columns of its index, and the places of its blocks."""
        stream = Stream.of(shard.lengths, self._format.separators)
        cuts = self._format.cut(stream, self.length - self._format.head)
        first_B, last_B = stream.unit(cuts.lo_B), stream.unit(cuts.hi_B - 1)
        token_B = stream.tokens_before(cuts.lo_B, first_B)
        end_B = stream.tokens_before(cuts.hi_B, last_B)
        self._cut += cuts.sentences_cut
        self._dropped += len(shard.ids_T) - int((end_B - token_B).sum())
        self._crossing += int(stream.crosses(token_B, end_B).sum())
        byte_U = np.concatenate(([0], stream.byte_U))
        index = (
            np.full(len(first_B), number, np.uint16),
            byte_U[first_B],
            byte_U[last_B + 1] - byte_U[first_B],
            cuts.lo_B - stream.place_U[first_B],
            token_B,
            end_B - token_B,
        )
        return [column.astype(np.uint32) for column in (*index, cuts.hi_B - cuts.lo_B)]

    def read(self, block_B: Ints) -> Blocks:
        """Read blocks by number, in the order given."""
        lengths_B = self.lengths_B[block_B].astype(np.int64)
        codes, ids_T = self._gather(block_B)
        column_L = np.arange(self.length)
        inside_BL = column_L < lengths_B[:, None]
        ids_BL = np.where(inside_BL, self._special.eos, self._special.pad)
        if self._format.head:
            ids_BL[:, 0] = self._special.bos
            inside_BL[:, 0] = False
        for id_, row_N, column_N in self._separators(block_B, codes, lengths_B):
            ids_BL[row_N, column_N] = id_
            inside_BL[row_N, column_N] = False
        # What is inside and no separator is text, and text comes in its order.
        ids_BL[inside_BL] = ids_T
        return Blocks(ids_BL, lengths_B)

    def _gather(self, block_B: Ints) -> tuple[Codes, npt.NDArray[Any]]:
        """Copy the codes of the blocks' units and the blocks' tokens out of the shards."""
        index = self._index
        columns = (index.shard, index.byte, index.bytes, index.token, index.tokens)
        codes, ids = [], []
        for shard, byte, bytes_, token, tokens in zip(
            *(column[block_B].tolist() for column in columns), strict=True
        ):
            codes.append(self._shards[shard].lengths[byte : byte + bytes_])
            ids.append(self._shards[shard].ids_T[token : token + tokens])
        return np.concatenate(codes), np.concatenate(ids)

    def _separators(
        self, block_B: Ints, codes: Codes, lengths_B: Ints
    ) -> Iterator[tuple[int, Ints, Ints]]:
        """Find the places of special tokens inside the blocks: (id, rows, columns)."""
        separators, units = self._format.separators, shards.unpack(codes)
        bytes_B = self._index.bytes[block_B].astype(np.int64)
        row_U = np.repeat(np.arange(len(block_B)), bytes_B)[units.byte_U - 1]
        places_U = separators.places(units.tokens_U)
        end_U = np.cumsum(places_U)
        first_B = np.searchsorted(row_U, np.arange(len(block_B)))
        origin_B = (end_U - places_U)[first_B] + self._index.skip[block_B] - self._format.head
        column_U = end_U - places_U - origin_B[row_U]
        sentence_U = units.tokens_U > 0
        last_U = column_U + places_U - 1
        special = self._special
        for id_, wanted, at_U, of_U in (
            (special.bos, separators.before, column_U, sentence_U),
            (special.eos, separators.after, last_U, sentence_U),
            (special.eos, separators.document, column_U, ~sentence_U),
        ):
            if wanted:
                valid_U = of_U & (at_U >= self._format.head) & (at_U < lengths_B[row_U])
                yield id_, row_U[valid_U], at_U[valid_U]

    def report(self) -> Report:
        """Counts for manifests and logs; a block crosses if its text is of several documents."""
        return totals(self) | {
            "sentences_cut": self._cut,
            "tokens_dropped": self._dropped,
            "crossing_share": self._crossing / self.count if self.count else 0.0,
        }


def _joined(parts: Sequence[Sequence[Small]]) -> list[Small]:
    """Join the columns of the shards' indices."""
    if not parts:
        return [np.zeros(0, np.uint32) for _ in range(COLUMNS)]
    return [np.concatenate(columns) for columns in zip(*parts, strict=True)]
