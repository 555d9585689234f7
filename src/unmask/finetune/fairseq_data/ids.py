"""From the ids of a fairseq dictionary to those of a tokenizer, token by token.

Legend: V symbols of the dictionary, T tokens of all items.
"""

import dataclasses
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import numpy.typing as npt

from unmask.core.errors import UserError
from unmask.finetune.fairseq_data import dictionary, gpt2
from unmask.finetune.fairseq_data.dictionary import FILLER, SPECIALS
from unmask.finetune.fairseq_data.index import Items
from unmask.tokenizer.family import ROBERTA
from unmask.tokenizer.tokenizer import Tokenizer

NONE = -1


@dataclasses.dataclass(frozen=True, slots=True)
class Translation:
    """What the symbols of one dictionary are to one tokenizer."""

    symbols: tuple[str, ...]
    id_V: npt.NDArray[np.int64]
    """The tokenizer's id of each symbol, or NONE."""
    path: Path

    @classmethod
    def of(
        cls, path: Path, tokenizer: Tokenizer, encoder: Mapping[str, int] | None = None
    ) -> "Translation":
        """Match a `dict.txt` with a tokenizer.

        Symbols that are all numbers are those of `encoder`, the contents of an `encoder.json`, or
        without one of GPT-2's, which a tokenizer with other merges cannot have: UserError. Other
        symbols are tokens as they are. `<mask>` comes last, as fairseq's tasks add it.
        """
        symbols = dictionary.read(path)
        symbols += () if ROBERTA.mask in symbols else (ROBERTA.mask,)
        proper = [symbol for symbol in symbols[len(SPECIALS) :] if not _is_apart(symbol)]
        if proper and all(symbol.isdecimal() for symbol in proper):
            token_of = _numbered(path, tokenizer, encoder)
        else:
            token_of = {symbol: symbol for symbol in proper}
        id_of = {tokenizer.token(id_): id_ for id_ in range(tokenizer.vocabulary)}
        ids = {symbol: id_of.get(token, NONE) for symbol, token in token_of.items()}
        ids |= dict(zip(ROBERTA.specials, _specials(tokenizer), strict=True))
        return cls(symbols, np.array([ids.get(symbol, NONE) for symbol in symbols]), path)

    def __call__(self, items: Items, name: str) -> Items:
        """Give items in the tokenizer's ids; UserError for one that it does not know."""
        beyond_T = (items.values_T < 0) | (items.values_T >= len(self.symbols))
        if beyond_T.any():
            first = int(beyond_T.argmax())
            raise UserError(
                f"{name}: item {_item(items, first)} holds the id {items.values_T[first]}, where "
                f"{self.path} has {len(self.symbols):,}",
                "the data was made with another dictionary; take its own dict.txt",
            )
        values_T = self.id_V[items.values_T]
        unknown_T = values_T == NONE
        if unknown_T.any():
            first = int(unknown_T.argmax())
            symbol = self.symbols[items.values_T[first]]
            raise UserError(
                f"{name}: item {_item(items, first)} holds {symbol!r}, which the tokenizer does "
                f"not have (so {unknown_T.sum():,} of {len(unknown_T):,} tokens)",
                "take the model that the data was made for",
            )
        return Items(values_T, items.sizes_N)


def _numbered(
    path: Path, tokenizer: Tokenizer, encoder: Mapping[str, int] | None
) -> Mapping[str, str]:
    if encoder is not None:
        return {str(number): token for token, number in encoder.items()}
    found = gpt2.tokens(tokenizer)
    if found is None:
        raise UserError(
            f"{path}: its symbols are numbers of GPT-2's tokens, and the tokenizer is another one",
            "take a model with RoBERTa's tokenizer, or put the encoder.json that the data was made "
            "with into the folder, beside input0/",
        )
    return found


def _is_apart(symbol: str) -> bool:
    return symbol == ROBERTA.mask or FILLER.fullmatch(symbol) is not None


def _specials(tokenizer: Tokenizer) -> tuple[int, ...]:
    return (
        tokenizer.bos_id,
        tokenizer.pad_id,
        tokenizer.eos_id,
        tokenizer.unk_id,
        tokenizer.mask_id,
    )


def _item(items: Items, token: int) -> int:
    """The number, from 1, of the item that a token belongs to."""
    return int(np.searchsorted(items.sizes_N.cumsum(), token, side="right")) + 1
