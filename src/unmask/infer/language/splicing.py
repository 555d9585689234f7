"""A text with tokens in place of its masks; every other character stays as it was."""

from collections.abc import Sequence

from unmask.infer.language.masks import Masked
from unmask.tokenizer.tokenizer import Tokenizer


def spliced(tokenizer: Tokenizer, masked: Masked, ids: Sequence[int]) -> str:
    """Write one token for each mask, as fairseq's fill_mask does; special tokens vanish.

    Neighbouring masks of byte-level BPE are written together: a letter may need several tokens.
    BERT's "##" is taken off, and so is the space before such a token.
    """
    done, stop = "", 0
    for first, last in _runs(tokenizer, masked):
        before = masked.text[stop : masked.gaps[first][0]]
        stop = masked.gaps[last - 1][1]
        written = tokenizer.decode(list(ids[first:last]))
        if tokenizer.family == "bert" and written.startswith("##"):
            done, written = (done + before).rstrip(), written.removeprefix("##")
        else:
            done += before
        done += written
    return done + masked.text[stop:]


def _runs(tokenizer: Tokenizer, masked: Masked) -> list[tuple[int, int]]:
    """Group masks that have no character between them, as (first, one after the last)."""
    runs: list[tuple[int, int]] = []
    for number, (start, _) in enumerate(masked.gaps):
        touches = number > 0 and masked.gaps[number - 1][1] == start
        if touches and tokenizer.family == "roberta":
            runs[-1] = runs[-1][0], number + 1
        else:
            runs.append((number, number + 1))
    return runs
