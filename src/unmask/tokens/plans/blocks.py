"""What a plan gives: training sequences.

Legend: B blocks, L block length.
"""

import dataclasses

import numpy as np
import numpy.typing as npt

from unmask.tokenizer.tokenizer import Tokenizer
from unmask.tokens.format import Ints


@dataclasses.dataclass(frozen=True, slots=True)
class Blocks:
    """Training sequences, padded on the right."""

    ids_BL: Ints
    lengths_B: Ints
    """Tokens of each, special tokens included."""
    types_BL: Ints | None = None
    """Pairs only: 0 in the first segment and on padding, 1 in the second."""
    follows_B: npt.NDArray[np.bool_] | None = None
    """Pairs only: whether the second segment follows the first in its document."""


@dataclasses.dataclass(frozen=True, slots=True)
class SpecialIds:
    """The special tokens a plan puts around text."""

    bos: int
    eos: int
    pad: int
    between: int = 2
    """How many `eos` stand between the segments of a pair: RoBERTa 2, BERT 1."""

    @classmethod
    def of(cls, tokenizer: Tokenizer) -> "SpecialIds":
        """Take them from a tokenizer."""
        between = 2 if tokenizer.family == "roberta" else 1
        return cls(tokenizer.bos_id, tokenizer.eos_id, tokenizer.pad_id, between)
