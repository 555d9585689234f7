"""Words that alone may fill a mask, as the one token that each of them is.

N masks of a text, T words.
"""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from unmask.core.errors import UserError
from unmask.tokenizer.tokenizer import Tokenizer

Ints = npt.NDArray[np.int64]


def target_ids(tokenizer: Tokenizer, words: Sequence[str], after_space: Sequence[bool]) -> Ints:
    """Look up each word for each mask, ids_NT.

    In byte-level BPE a word after a space is another token than without one, so the word is taken
    as the text would have it; one that is given with its space keeps it. UserError for a word
    that is not exactly one token, is unknown, or is the same token as another.
    """
    lists = {space: _ids(tokenizer, words, after_space=space) for space in set(after_space)}
    return np.array([lists[space] for space in after_space], np.int64)


def _ids(tokenizer: Tokenizer, words: Sequence[str], *, after_space: bool) -> list[int]:
    if not words:
        raise UserError("no target words", "give at least one, or none to allow every token")
    spelt = [" " + word if after_space and not word[:1].isspace() else word for word in words]
    words_of: dict[int, str] = {}
    for word, ids in zip(words, tokenizer.encode_lines(spelt), strict=True):
        id_ = _only(tokenizer, word, ids, after_space=after_space)
        if id_ in words_of:
            raise UserError(
                f"targets {words_of[id_]!r} and {word!r} are the same token "
                f"{tokenizer.token(id_)!r}",
                "leave one of them out",
            )
        words_of[id_] = word
    return list(words_of)


def _only(tokenizer: Tokenizer, word: str, ids: Sequence[int], *, after_space: bool) -> int:
    where = " after a space" if after_space else ""
    if not word.strip():
        raise UserError(f"target {word!r}: an empty word", "leave it out")
    if len(ids) != 1:
        pieces = " ".join(tokenizer.token(id_) for id_ in ids)
        raise UserError(
            f"target {word!r}{where}: {len(ids)} tokens ({pieces}), and a mask is one",
            f"give words of one token, or write as many {tokenizer.mask_token} as it has",
        )
    if ids[0] == tokenizer.unk_id:
        raise UserError(
            f"target {word!r}: unknown to the vocabulary", "leave it out or choose another"
        )
    return ids[0]
