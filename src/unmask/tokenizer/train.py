"""Train a byte-level BPE in RoBERTa's form."""

from collections.abc import Iterable

from unmask.core.errors import UserError
from unmask.tokenizer import pretokens
from unmask.tokenizer.build import byte_level_bpe
from unmask.tokenizer.counts import words_of
from unmask.tokenizer.family import ROBERTA
from unmask.tokenizer.learn import Learnt, learn
from unmask.tokenizer.tokenizer import Tokenizer
from unmask.tokenizer.words import Words

MIN_FREQUENCY = 2
"""A pair that occurs once is chance, and a token for it would never be trained."""


def train(lines: Iterable[str], vocabulary: int) -> Tokenizer:
    """Train on lines that are held in memory; else as `train_on`."""
    return build(train_on(words_of(pretokens.count(lines)), vocabulary))


def train_on(words: Words, vocabulary: int) -> Learnt:
    """Learn the merges; ids: `<s>` `<pad>` `</s>` `<unk>`, 256 bytes, merges, `<mask>` last.

    The same words give the same bytes. UserError if the text is too small for the vocabulary.
    """
    *first, mask = ROBERTA.specials
    learnt = learn(words, first, vocabulary - 1, least=MIN_FREQUENCY)
    learnt.tokens.append(mask)
    if (reached := len(learnt.tokens)) < vocabulary:
        raise UserError(
            f"the text is enough for {reached:,} ids, not for {vocabulary:,}",
            f"--vocabulary {reached}, or more text",
        )
    return learnt


def build(learnt: Learnt) -> Tokenizer:
    """Make the tokenizer of a vocabulary that was learnt."""
    ids = {token: id_ for id_, token in enumerate(learnt.tokens)}
    return byte_level_bpe(ids, learnt.merges)
