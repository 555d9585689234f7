"""Where special tokens stand around two texts, and how much of these fits between them.

Legend: S sequences, T tokens of all of them.
"""

import dataclasses
from typing import Literal

import numpy as np
import numpy.typing as npt

from unmask.core.errors import UserError
from unmask.finetune.choice.forms import Form
from unmask.finetune.sequences import Sequences
from unmask.tokenizer.tokenizer import Tokenizer

Ids = npt.NDArray[np.int32]
Pair = tuple[Ids, Ids]


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class Layout:
    """`<s> first </s></s> second </s>`, or `[CLS] first [SEP] second [SEP]` with types 0 and 1."""

    bos_id: int
    eos_id: int
    separators: int
    second_type: Literal[0, 1]
    long: Literal[0, 1]
    """The text that gives way to the other."""
    room: int
    """Tokens of both texts together."""
    short_room: int
    """Tokens of the other one alone."""

    @classmethod
    def of(cls, tokenizer: Tokenizer, form: Form, max_length: int, option_length: int) -> "Layout":
        """Lay out for a tokenizer; UserError where not even one token of each text fits."""
        roberta = tokenizer.family == "roberta"
        separators = form.separators if roberta else 1
        room = max_length - separators - 2
        if room < 2:
            raise UserError(
                f"max_length {max_length}: holds the {separators + 2} special tokens and no texts",
                "allow a greater length",
            )
        if option_length < 3:
            raise UserError(
                f"option_length {option_length}: two of these are special tokens", "give 3 or more"
            )
        return cls(
            bos_id=tokenizer.bos_id,
            eos_id=tokenizer.eos_id,
            separators=separators,
            second_type=0 if roberta else 1,
            long=form.long,
            room=room,
            short_room=min(option_length - 2, room),
        )

    def fit(self, pair: Pair) -> Pair:
        """Cut the end of the short text to its room, that of the long one to what is left."""
        short = pair[1 - self.long][: self.short_room]
        long = pair[self.long][: self.room - len(short)]
        return (long, short) if self.long == 0 else (short, long)

    def lay(self, pairs_S: list[Pair]) -> Sequences:
        """Write sequences end to end, with their special tokens and types."""
        bos = np.array([self.bos_id], dtype=np.int32)
        eos = np.array([self.eos_id], dtype=np.int32)
        between = np.repeat(eos, self.separators)
        ids_T = np.concatenate(
            [part for first, second in pairs_S for part in (bos, first, between, second, eos)]
        )
        heads_S = np.array([1 + len(first) + self.separators for first, _ in pairs_S])
        tails_S = np.array([len(second) + 1 for _, second in pairs_S])
        types = np.tile(np.array([0, self.second_type], dtype=np.int8), len(pairs_S))
        types_T = types.repeat(np.column_stack([heads_S, tails_S]).ravel())
        starts_S1 = np.concatenate([[0], (heads_S + tails_S).cumsum()])
        return Sequences(ids_T, types_T, starts_S1)
