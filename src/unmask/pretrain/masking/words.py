"""Where words begin.

Byte-level BPE: at a token whose text begins with a space. WordPiece: at a token without "##".
What follows a special token begins a word as well, with or without a space; `units.grouped` sees
to that. So a full stop belongs to its word in byte-level BPE, and is a word in WordPiece.
"""

import dataclasses

import numpy as np
import numpy.typing as npt

from unmask.core.hashing import IntArray
from unmask.pretrain.masking.arrays import BoolArray, like
from unmask.tokenizer.tokenizer import Tokenizer

SPACE = "Ġ"
"""How byte-level BPE writes a space (GPT-2's encoder.py, bytes_to_unicode)."""
CONTINUES = "##"


@dataclasses.dataclass(frozen=True, slots=True)
class Words:
    """Tells for blocks of ids which tokens begin a word."""

    begins_V: npt.NDArray[np.bool_]

    @classmethod
    def of(cls, tokenizer: Tokenizer) -> "Words":
        """Look at every token of the vocabulary."""
        return cls(beginnings(tokenizer))

    def __call__(self, ids_BL: IntArray) -> BoolArray:
        """[B, L], true where a word begins."""
        return like(self.begins_V, ids_BL)[ids_BL]


def beginnings(tokenizer: Tokenizer) -> npt.NDArray[np.bool_]:
    """[V], true for tokens that begin a word; special tokens do, as in fairseq.

    The same words as fairseq's --mask-whole-words (data/encoders/utils.py).
    """
    tokens = [tokenizer.token(id_) for id_ in range(tokenizer.vocabulary)]
    if tokenizer.family == "roberta":
        begins_V = np.array([token.startswith(SPACE) for token in tokens])
    else:
        begins_V = np.array([not token.startswith(CONTINUES) for token in tokens])
    begins_V[list(tokenizer.special_ids)] = True
    return begins_V
