"""Plans whose blocks are two segments, with the label of next-sentence prediction.

    RoBERTa:  <s> A </s> </s> B </s>        BERT:  [CLS] A [SEP] B [SEP]

Within a segment no separator stands between sentences (BERT, section 3.1 and
create_pretraining_data.py). Half of the second segments follow the first in its document; the
others come from another document of the same shard, which is drawn, like everything here, by a
hash of shard and place: the plan is the same in every epoch and every run.

Legend: B blocks, L block length, P pieces of sentences, D documents.
"""

import dataclasses
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from unmask.core.hashing import below, draw, stream, within
from unmask.tokens.format import Ints
from unmask.tokens.plans.blocks import Blocks, SpecialIds
from unmask.tokens.plans.plan import Report, totals
from unmask.tokens.plans.stream import Separators, Stream, pieces
from unmask.tokens.read import Shard

Small = npt.NDArray[np.uint32]

TEXT_ONLY = Separators(before=0, after=0, document=0)


@dataclasses.dataclass(frozen=True, slots=True)
class Sentences:
    """The sentences of a shard, the longest ones cut, and what chance holds for each."""

    edge_P: list[int]
    """Where each piece begins, in tokens; one entry more than there are pieces."""
    end_of_document_P: list[int]
    """The first piece of the next document."""
    room: int
    """Most tokens of both segments together; no piece is longer than half of it."""
    elsewhere_P: list[int]
    """A piece in another document, or -1 where the shard has only one document."""
    random_P: list[bool]
    """Whether a pair that begins here takes its second segment from elsewhere."""
    split_P: list[int]
    """A large random integer: where a pair that begins here is parted."""


class PairRun(NamedTuple):
    """Two runs of tokens, [start, end) each."""

    start_a: int
    end_a: int
    start_b: int
    end_b: int
    follows: bool
    """Whether the second follows the first in its document."""


Pairing = Callable[[Sentences], list[PairRun]]


class Pairs:
    """The plan of one split in a format of pairs."""

    def __init__(
        self,
        shards: Sequence[Shard],
        length: int,
        special: SpecialIds,
        pairing: Pairing,
        *,
        balanced: bool,
    ) -> None:
        self._shards, self._special, self._pairing = shards, special, pairing
        self.length, self.balanced = length, balanced
        self._room = length - 2 - special.between
        self._cut = 0
        parts = [self._plan(number, shard) for number, shard in enumerate(shards)]
        columns = np.concatenate(parts, axis=1) if parts else np.zeros((6, 0), np.uint32)
        self._shard_B, self._start_2B, self._tokens_2B = columns[0], columns[1:3], columns[3:5]
        self._follows_B = columns[5].astype(np.bool_)
        extra = np.uint32(length - self._room)
        self.lengths_B: Small = self._tokens_2B.sum(axis=0, dtype=np.uint32) + extra
        self.count = len(self.lengths_B)

    def _plan(self, number: int, shard: Shard) -> npt.NDArray[np.uint32]:
        """Pair the sentences of one shard; return the columns of its index."""
        found = pieces(Stream.of(shard.lengths, TEXT_ONLY), longest=self._room // 2)
        self._cut += found.cut
        edge_P = np.append(found.lo_P, found.hi_P[-1])
        sentences = _with_chances(number, edge_P, found.document_P, self._room)
        rows = [
            (number, r.start_a, r.start_b, r.end_a - r.start_a, r.end_b - r.start_b, r.follows)
            for r in self._pairing(sentences)
        ]
        return np.array(rows, dtype=np.uint32).T

    def read(self, block_B: Ints) -> Blocks:
        """Read blocks by number, in the order given."""
        special, tokens_2B = self._special, self._tokens_2B[:, block_B].astype(np.int64)
        lengths_B = self.lengths_B[block_B].astype(np.int64)
        column_L = np.arange(self.length)
        inside_BL = column_L < lengths_B[:, None]
        end_B = 1 + tokens_2B[0][:, None]
        second_BL = (column_L >= end_B + special.between) & inside_BL
        text_BL = ((column_L > 0) & (column_L < end_B)) | second_BL
        np.put_along_axis(text_BL, lengths_B[:, None] - 1, values=False, axis=1)
        ids_BL = np.where(inside_BL, special.eos, special.pad)
        ids_BL[:, 0] = special.bos
        ids_BL[text_BL] = self._text(block_B)
        types_BL = ((column_L >= end_B + 1) & inside_BL).astype(np.int64)
        return Blocks(ids_BL, lengths_B, types_BL, self._follows_B[block_B])

    def _text(self, block_B: Ints) -> npt.NDArray[Any]:
        """Copy the tokens of both segments of each block, one after the other."""
        parts = []
        columns = (self._shard_B, *self._start_2B, *self._tokens_2B)
        for shard, first, second, tokens, others in zip(
            *(column[block_B].tolist() for column in columns), strict=True
        ):
            ids_T = self._shards[shard].ids_T
            parts += [ids_T[first : first + tokens], ids_T[second : second + others]]
        return np.concatenate(parts)

    def report(self) -> Report:
        """Counts for manifests and logs; the text of a segment from elsewhere is repeated."""
        text = sum(len(shard.ids_T) for shard in self._shards)
        used = int(self._tokens_2B.sum(dtype=np.int64))
        foreign = int(self._tokens_2B[1][~self._follows_B].sum(dtype=np.int64))
        return totals(self) | {
            "sentences_cut": self._cut,
            "tokens_dropped": text - (used - foreign),
            "tokens_repeated": foreign,
            "crossing_share": float((~self._follows_B).mean()) if self.count else 0.0,
        }


def _with_chances(number: int, edge_P: Ints, document_P: Ints, room: int) -> Sentences:
    """Draw what chance decides, for every piece at once."""
    piece_P = np.arange(len(document_P))
    first_D = np.searchsorted(document_P, np.arange(document_P[-1] + 1))
    end_D = np.append(first_D[1:], len(document_P))

    def bits(purpose: str) -> Ints:
        drawn: Ints = draw(stream(f"pair {purpose}", number), piece_P)
        return drawn

    documents = len(first_D)
    elsewhere_P = np.full(len(document_P), -1)
    if documents > 1:
        # Any document but one's own: go on from it by 1 to documents - 1.
        other_P = (document_P + 1 + below(bits("document"), documents - 1)) % documents
        size_P = end_D[other_P] - first_D[other_P]
        elsewhere_P = first_D[other_P] + (bits("sentence") & (1 << 62) - 1) % size_P
    return Sentences(
        edge_P=edge_P.tolist(),
        end_of_document_P=end_D[document_P].tolist(),
        room=room,
        elsewhere_P=elsewhere_P.tolist(),
        random_P=within(bits("random"), 0.5).tolist(),
        split_P=(bits("split") & (1 << 62) - 1).tolist(),
    )
