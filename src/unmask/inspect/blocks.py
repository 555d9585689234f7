"""Blocks as people read them: text, where it is from, and what is masked in it.

Legend: B blocks, L length, N tokens of one block, M masked positions.
"""

import dataclasses
from collections.abc import Iterator, Sequence
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from unmask.inspect.look import Block, Fate, Passage, Seen, Segment, Token
from unmask.inspect.origins import SPECIAL, Origins
from unmask.inspect.spelling import spell
from unmask.pretrain.masking.masker import Masker
from unmask.tokenizer.tokenizer import Tokenizer
from unmask.tokens.format import Ints
from unmask.tokens.plans.plan import Plan


@dataclasses.dataclass(frozen=True, slots=True)
class Row:
    """One block without its padding."""

    ids_N: Ints
    seen_N: Ints
    """What the model sees."""
    predicted_N: npt.NDArray[np.bool_]
    origin_N: Ints
    """Numbers of tokens, as Origins counts them."""
    types_N: Ints | None


@dataclasses.dataclass(frozen=True, slots=True)
class Reader:
    """Reads the blocks of one split."""

    tokenizer: Tokenizer
    plan: Plan
    origins: Origins
    masker: Masker

    def read(self, block_B: Ints, epoch: int) -> tuple[Block, ...]:
        """Read blocks by number, with the masks of an epoch."""
        blocks, origin_BL = self.plan.read(block_B), self.origins.read(block_B).ids_BL
        masked = self.masker(blocks.ids_BL, np.full_like(block_B, epoch), block_B)
        predicted_BL = np.zeros(blocks.ids_BL.shape, np.bool_)
        predicted_BL.flat[masked.positions_M] = True
        found = []
        for index, length in enumerate(blocks.lengths_B.tolist()):
            row = Row(
                blocks.ids_BL[index, :length],
                masked.ids_BL[index, :length],
                predicted_BL[index, :length],
                origin_BL[index, :length],
                None if blocks.types_BL is None else blocks.types_BL[index, :length],
            )
            follows = None if blocks.follows_B is None else bool(blocks.follows_B[index])
            number, padding = int(block_B[index]), self.plan.length - length
            found.append(Block(number, length, padding, follows, self._passages(row)))
        return tuple(found)

    def _passages(self, row: Row) -> tuple[Passage, ...]:
        """Part a block where its second segment begins, or else at the borders of documents."""
        if row.types_N is None:
            heads = self._borders(row)
            segments: Sequence[Segment] = [None] * (len(heads) + 1)
        else:
            heads, segments = [int(np.argmax(row.types_N))], ["A", "B"]
        runs = pairwise([0, *heads, len(row.ids_N)])
        return tuple(
            self._passage(row, slice(*run), segment)
            for run, segment in zip(runs, segments, strict=True)
        )

    def _borders(self, row: Row) -> list[int]:
        """Find where another document begins, at the `<s>` in front of it if there is one."""
        text_T = np.flatnonzero(row.origin_N != SPECIAL)
        document_T = self.origins.of(row.origin_N[text_T]).document_N
        head_T = text_T[1:][np.diff(document_T) != 0]
        return [int(head) - int(row.ids_N[head - 1] == self.tokenizer.bos_id) for head in head_T]

    def _passage(self, row: Row, run: slice, segment: Segment) -> Passage:
        tokens = tuple(self._tokens(row.ids_N[run].tolist(), self._seen(row, run)))
        origin_T = row.origin_N[run][row.origin_N[run] != SPECIAL][:1]
        if not len(origin_T):
            return Passage(None, 0, inside=False, segment=segment, tokens=tokens)
        origin = self.origins.of(origin_T)
        return Passage(
            int(origin.document_N[0]),
            int(origin.sentence_N[0]),
            inside=bool(origin.inside_N[0]),
            segment=segment,
            tokens=tokens,
        )

    def _tokens(self, ids: Sequence[int], seen: Sequence[Seen | None]) -> Iterator[Token]:
        """Spell tokens; a space parts the text from a special token before it."""
        names = [self.tokenizer.token(id_) for id_ in ids]
        texts = spell(names, self.tokenizer.family)
        after_special = False
        for id_, name, text, hidden in zip(ids, names, texts, seen, strict=True):
            special = id_ in self.tokenizer.special_ids
            parted = after_special and not special and not text.startswith(" ")
            yield Token(id_, name, " " + text if parted else text, special, hidden)
            after_special = special

    def _seen(self, row: Row, run: slice) -> list[Seen | None]:
        columns = (row.ids_N[run], row.seen_N[run], row.predicted_N[run])
        return [
            self._hidden(target, seen) if predicted else None
            for target, seen, predicted in zip(
                *(column.tolist() for column in columns), strict=True
            )
        ]

    def _hidden(self, target: int, seen: int) -> Seen:
        fate: Fate = "random"
        if seen == self.tokenizer.mask_id:
            fate = "masked"
        elif seen == target:
            fate = "kept"
        name = self.tokenizer.token(seen)
        return Seen(fate, seen, name, spell([name], self.tokenizer.family)[0])
