"""A tokenizer goes on learning: every id it has keeps its meaning, new ones come after them all.

Words are cut by the merges there are, and more merges are learnt on the pieces. These rank after
the old ones, and each makes a token that was not there, so no old merge ever meets what a new one
has made. Hence any text is first cut as before, and then new merges join pieces: text without a new
token keeps its ids, and the conditions of the fast encoder hold as they held before (fast.py).

Shapes: S symbols of all words, W words.
"""

import itertools
import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import tokenizers

from unmask.core.errors import UserError
from unmask.tokenizer.fast import ByTokenizers, LineEncoder, line_encoder
from unmask.tokenizer.learn import learn_further
from unmask.tokenizer.tokenizer import Tokenizer
from unmask.tokenizer.train import MIN_FREQUENCY
from unmask.tokenizer.words import Pieces, Words

WORDS_AT_ONCE = 1 << 18


def refuse_unfit(old: Tokenizer, vocabulary: int, of: Path) -> None:
    """Raise UserError where learning cannot go on from a tokenizer, or has nothing to add."""
    if old.family == "bert":
        raise UserError(
            f"--extend {of}: a WordPiece vocabulary cannot be extended, as it has no merges",
            "a byte-level BPE as RoBERTa's can; a BERT goes on with the tokenizer it has",
        )
    if isinstance(line_encoder(old), ByTokenizers):
        raise UserError(
            f"--extend {of}: its tokenizer does more than RoBERTa's (a prefix space, dropout, "
            "added words), so words cannot be counted as it cuts them",
            "give a folder with vocab.json and merges.txt alone, if the model can do without that",
        )
    if vocabulary <= old.vocabulary:
        raise UserError(
            f"--vocabulary {vocabulary}: {of} has {old.vocabulary} ids already",
            f"give more than {old.vocabulary}",
        )


def extend(old: Tokenizer, words: Words, vocabulary: int) -> Tokenizer:
    """Learn on these words until there are `vocabulary` ids; all else stays as it is.

    The same words give the same bytes. UserError if the text is too small for the vocabulary.
    """
    tokens = [old.token(id_) for id_ in range(old.vocabulary)]
    learnt = learn_further(
        pieces(line_encoder(old), words), tokens, vocabulary, least=MIN_FREQUENCY
    )
    if (reached := len(learnt.tokens)) < vocabulary:
        raise UserError(
            f"the text is enough for {reached:,} ids, {reached - len(tokens):,} of them new, not "
            f"for {vocabulary:,}",
            f"--vocabulary {reached}, or more text",
        )
    settings = json.loads(tokenizers.Tokenizer.from_str(old.json).to_str())  # in today's form
    model = settings["model"]
    # Tokens added beside the vocabulary go into it: their ids are counted on from its size.
    model["vocab"] = {token: id_ for id_, token in enumerate(learnt.tokens)}
    model["merges"] += [list(pair) for pair in learnt.merges]
    return Tokenizer(tokenizers.Tokenizer.from_str(json.dumps(settings)).to_str(pretty=True))


def tokens_per_word(tokenizer: Tokenizer, words: Words) -> float:
    """How many tokens a word takes on average, as often as it was seen ("fertility")."""
    lengths_W = pieces(line_encoder(tokenizer), words).lengths_W
    return float(lengths_W @ words.counts_W) / max(int(words.counts_W.sum()), 1)


def pieces(encoder: LineEncoder, words: Words) -> Pieces:
    """Cut words into the tokens they have now; a word by itself is cut as it is within a line."""
    found = [encoder(batch) for batch in _batches(words)]
    empty = [np.empty(0, np.int32)]
    return Pieces(
        np.concatenate([*empty, *(lines.ids_T.astype(np.int32) for lines in found)]),
        np.concatenate([*empty, *(lines.lengths_N.astype(np.int32) for lines in found)]),
        words.counts_W,
    )


def _batches(words: Words) -> Iterator[list[str]]:
    ends_W = words.lengths_W.cumsum(dtype=np.int64)
    for first in range(0, len(ends_W), WORDS_AT_ONCE):
        ends = ends_W[first : first + WORDS_AT_ONCE]
        start = int(ends[0] - words.lengths_W[first])
        letters = words.letters_S[start : int(ends[-1])].tobytes()
        bounds = [0, *(ends - start).tolist()]
        yield [letters[begin:end].decode() for begin, end in itertools.pairwise(bounds)]
