"""The FULL-SENTENCES format (RoBERTa, section 4.2; fairseq's `--sample-break-mode complete`).

    <s> sentence </s> sentence </s> </s> first sentence of the next document </s>

Whole sentences in their order fill a block until the next one does not fit; blocks may cross
documents, and there one more separator stands between them. A sentence longer than a block is cut
into pieces that fit (fairseq skips it); nothing is dropped. Blocks do not cross shards.

Legend: B blocks, L block length, P pieces, T tokens.
"""

import dataclasses

import numpy as np

from unmask.tokens.format import Ints
from unmask.tokens.read import Shard


@dataclasses.dataclass(frozen=True, slots=True)
class Blocks:
    """Training sequences, padded on the right."""

    ids_BL: Ints
    lengths_B: Ints


@dataclasses.dataclass(frozen=True, slots=True)
class SpecialIds:
    """The special tokens a plan puts around text."""

    bos: int
    eos: int
    pad: int


class FullSentences:
    """The plan of one split: `count` blocks of at most `length` tokens."""

    def __init__(self, shards: list[Shard], length: int, special: SpecialIds) -> None:
        self._shards = [_ShardPlan(shard, length, special) for shard in shards]
        self._first = np.cumsum([0] + [shard.count for shard in self._shards])
        self.length = length
        self.count = int(self._first[-1])
        self._special = special

    def read(self, block_B: Ints) -> Blocks:
        """Read blocks by number, in the order given."""
        ids_BL = np.full((len(block_B), self.length), self._special.pad, dtype=np.int64)
        lengths_B = np.zeros(len(block_B), dtype=np.int64)
        shard_B = np.searchsorted(self._first, block_B, side="right") - 1
        for shard in np.unique(shard_B):
            here = np.flatnonzero(shard_B == shard)
            read = self._shards[shard].read(block_B[here] - self._first[shard])
            ids_BL[here], lengths_B[here] = read.ids_BL, read.lengths_B
        return Blocks(ids_BL, lengths_B)

    def report(self) -> dict[str, int | float]:
        """Counts of this plan, for manifests and logs."""
        used = sum(int(shard.lengths_B.sum()) for shard in self._shards)
        crossing = sum(int(shard.crossing_B.sum()) for shard in self._shards)
        return {
            "blocks": self.count,
            "tokens": used,
            "padding_share": 1 - used / (self.count * self.length) if self.count else 0.0,
            "crossing_share": crossing / self.count if self.count else 0.0,
            "sentences_cut": sum(shard.sentences_cut for shard in self._shards),
            "tokens_dropped": 0,
        }


class _ShardPlan:
    def __init__(self, shard: Shard, length: int, special: SpecialIds) -> None:
        self._ids_T, self._special, self._length = shard.ids_T, special, length
        self._start_P, end_P, ends_sentence_P = _pieces(shard.sentence_ends, longest=length - 2)
        self.sentences_cut = int((~ends_sentence_P[:-1] & ends_sentence_P[1:]).sum())
        self._tokens_P = end_P - self._start_P
        self._opens_document_P = _opens_document(shard, self._start_P)
        # before_P[p]: places taken by pieces 0 ... p-1, each with its </s> and the extra separator
        # in front of a new document; one entry more than there are pieces.
        places_P = self._tokens_P + ends_sentence_P + self._opens_document_P
        self._before_P = np.concatenate(([0], np.cumsum(places_P)))
        self._edge_B = self._pack(budget=length - 1)
        self.count = len(self._edge_B) - 1
        first, last = self._edge_B[:-1], self._edge_B[1:]
        opened = np.concatenate(([0], np.cumsum(self._opens_document_P)))
        leading = self._opens_document_P[first]
        self.lengths_B = 1 + self._before_P[last] - self._before_P[first] - leading
        self.crossing_B = opened[last] - opened[first] - leading > 0

    def _pack(self, budget: int) -> Ints:
        """Fill blocks greedily; return the first piece of each block, and the end."""
        pieces = len(self._tokens_P)
        # A document's separator is not written where its first piece opens a block.
        reach = self._before_P[:-1] + self._opens_document_P + budget
        following = (np.searchsorted(self._before_P, reach, side="right") - 1).tolist()
        edges = [0]
        while edges[-1] < pieces:
            edges.append(following[edges[-1]])
        return np.array(edges, dtype=np.int64)

    def read(self, block_B: Ints) -> Blocks:
        first_B, last_B = self._edge_B[block_B], self._edge_B[block_B + 1]
        lengths_B = self.lengths_B[block_B]
        inside_BL = np.arange(self._length) < lengths_B[:, None]
        # Every place of a block that holds no text holds a separator, but for <s> at its head.
        ids_BL = np.where(inside_BL, self._special.eos, self._special.pad)
        ids_BL[:, 0] = self._special.bos
        row_P, piece_P = _ranges(first_B, last_B)
        lead_P = self._before_P[first_B][row_P] + self._opens_document_P[first_B][row_P]
        place_P = 1 + self._before_P[piece_P] + self._opens_document_P[piece_P] - lead_P
        tokens_P = self._tokens_P[piece_P]
        piece_T, offset_T = _ranges(np.zeros_like(tokens_P), tokens_P)
        source_T = self._start_P[piece_P][piece_T] + offset_T
        ids_BL[row_P[piece_T], place_P[piece_T] + offset_T] = self._ids_T[source_T]
        return Blocks(ids_BL, lengths_B)


def _pieces(sentence_ends: Ints, longest: int) -> tuple[Ints, Ints, Ints]:
    """Cut sentences into pieces of at most `longest` tokens: starts, ends, ends-a-sentence."""
    starts = np.concatenate(([0], sentence_ends[:-1]))
    cuts = np.maximum(1, -(-(sentence_ends - starts) // longest))
    sentence_P, number_P = _ranges(np.zeros_like(cuts), cuts)
    start_P = starts[sentence_P] + number_P * longest
    end_P = np.minimum(start_P + longest, sentence_ends[sentence_P])
    return start_P, end_P, number_P == cuts[sentence_P] - 1


def _opens_document(shard: Shard, start_P: Ints) -> Ints:
    """Mark with 1 the pieces that begin a document."""
    opens_P = np.zeros_like(start_P)
    ends = shard.sentence_ends[shard.document_ends - 1]
    opens_P[0] = 1
    opens_P[np.searchsorted(start_P, ends[:-1])] = 1
    return opens_P


def _ranges(first_N: Ints, last_N: Ints) -> tuple[Ints, Ints]:
    """Concatenate the ranges first ... last - 1: (which range, value), flat."""
    counts_N = last_N - first_N
    range_T = np.repeat(np.arange(len(counts_N)), counts_N)
    begin_N = np.cumsum(counts_N) - counts_N
    return range_T, np.arange(len(range_T)) - begin_N[range_T] + first_N[range_T]
