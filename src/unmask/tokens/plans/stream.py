"""The stream of a shard: its sentences in order, with a format's separators between them.

Every token and every separator takes one place of the stream, numbered from 0. A format cuts the
stream into runs of places, [lo, hi).

Legend: U units (sentences and ends of documents), P pieces, B blocks, T tokens.
"""

import dataclasses

import numpy as np
import numpy.typing as npt

from unmask.tokens import format as shards
from unmask.tokens.format import Codes, Ints


@dataclasses.dataclass(frozen=True, slots=True)
class Separators:
    """How many special tokens a format puts into the stream, 0 or 1 each."""

    before: int
    """`<s>` before a sentence."""
    after: int
    """`</s>` after a sentence."""
    document: int
    """`</s>` after a document."""

    def places(self, tokens_U: Ints) -> Ints:
        """Count the places of units."""
        return np.where(tokens_U > 0, tokens_U + (self.before + self.after), self.document)


@dataclasses.dataclass(frozen=True, slots=True)
class Stream:
    """The units of one shard and the places they take."""

    separators: Separators
    tokens_U: Ints
    """0 at the end of a document."""
    byte_U: Ints
    """Where the unit's code ends in the shard's lengths."""
    place_U: Ints
    """The unit's first place; one entry more than there are units."""
    token_U: Ints
    """The unit's first token; one entry more than there are units."""
    document_U: Ints
    """The number of the unit's document."""

    @classmethod
    def of(cls, codes: Codes, separators: Separators) -> "Stream":
        """Lay out a whole shard."""
        units = shards.unpack(codes)
        place_U = np.concatenate(([0], np.cumsum(separators.places(units.tokens_U))))
        token_U = np.concatenate(([0], np.cumsum(units.tokens_U)))
        ends_U = (units.tokens_U == 0).astype(np.int64)
        document_U = np.cumsum(ends_U) - ends_U
        return cls(separators, units.tokens_U, units.byte_U, place_U, token_U, document_U)

    def crosses(self, token_B: Ints, end_B: Ints) -> npt.NDArray[np.bool_]:
        """Tell of runs of tokens whether their text is of more than one document."""
        last = len(self.tokens_U) - 1
        first_B, last_B = (
            self.document_U[np.minimum(np.searchsorted(self.token_U[1:], at_B, "right"), last)]
            for at_B in (token_B, end_B - 1)
        )
        crosses_B: npt.NDArray[np.bool_] = (last_B > first_B) & (end_B > token_B)
        return crosses_B

    def unit(self, place_N: Ints) -> Ints:
        """Find the unit that holds each place."""
        return np.searchsorted(self.place_U[1:], place_N, side="right")

    def tokens_before(self, place_N: Ints, unit_N: Ints) -> Ints:
        """Count the tokens of text in front of places, which lie in the given units."""
        inside_N = place_N - self.place_U[unit_N] - self.separators.before
        tokens_N: Ints = self.token_U[unit_N] + np.clip(inside_N, 0, self.tokens_U[unit_N])
        return tokens_N


@dataclasses.dataclass(frozen=True, slots=True)
class Pieces:
    """Sentences, the longest ones cut, as places: a block is made of whole pieces."""

    lo_P: Ints
    hi_P: Ints
    """The place after the piece and its `</s>`."""
    document_P: Ints
    """The number of its document."""
    cut: int
    """How many sentences were cut."""


def pieces(stream: Stream, longest: int) -> Pieces:
    """Cut the sentences of a stream, which has no `<s>` in it, into pieces of few enough tokens.

    `</s>` stands after the last piece of a sentence only.
    """
    sentence_S = np.flatnonzero(stream.tokens_U)
    tokens_S = stream.tokens_U[sentence_S]
    cuts_S = -(-tokens_S // longest)
    piece_P = np.repeat(np.arange(len(sentence_S)), cuts_S)
    number_P = np.arange(len(piece_P)) - (np.cumsum(cuts_S) - cuts_S)[piece_P]
    first_P, end_P = stream.place_U[sentence_S][piece_P], stream.place_U[sentence_S + 1][piece_P]
    lo_P = first_P + number_P * longest
    hi_P = np.where(number_P == cuts_S[piece_P] - 1, end_P, lo_P + longest)
    document_P = stream.document_U[sentence_S][piece_P]
    return Pieces(lo_P, hi_P, document_P, int((cuts_S > 1).sum()))


def fill(pieces: Pieces, budget: int, last_P: Ints | None = None) -> tuple[Ints, Ints]:
    """Fill blocks with pieces in order, until the next one would exceed `budget` places.

    `last_P[p]` is the first piece that may not share a block with piece p. Returns the runs.
    """
    following_P = np.searchsorted(pieces.hi_P, pieces.lo_P + budget, side="right")
    if last_P is not None:
        following_P = np.minimum(following_P, last_P)
    following, edges = following_P.tolist(), [0]
    while edges[-1] < len(following):
        edges.append(following[edges[-1]])
    edge_B = np.array(edges, dtype=np.int64)
    return pieces.lo_P[edge_B[:-1]], pieces.hi_P[edge_B[1:] - 1]
