"""Pseudo-perplexity: how well a masked language model predicts each token from all others.

L length, T scored tokens of a text.
"""

import dataclasses
import math
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from tokenizers import Encoding

from unmask.core.errors import UserError
from unmask.core.progress import bar, say
from unmask.infer.language.model import LanguageModel
from unmask.infer.language.rows import Row
from unmask.tokenizer.tokenizer import Tokenizer

ROWS_AT_ONCE = 2048
"""Rows that are laid out together: there is one for every token."""

Ints = npt.NDArray[np.int64]


@dataclasses.dataclass(frozen=True, slots=True)
class PseudoLikelihood:
    """What the model says of one text."""

    text: str
    tokens: tuple[str, ...]
    """The scored tokens; special and unknown ones are not scored."""
    log_probabilities: tuple[float, ...]
    """log p (nats) of each, given all other tokens."""

    @property
    def total(self) -> float:
        """The pseudo-log-likelihood of the text, PLL."""
        return math.fsum(self.log_probabilities)

    @property
    def perplexity(self) -> float | None:
        """exp(-PLL / T); None for a text without a scored token."""
        return math.exp(-self.total / len(self.tokens)) if self.tokens else None


@dataclasses.dataclass(frozen=True, slots=True)
class _Question:
    """A token to hide: its text and its place in it, special tokens left out."""

    ids_L: Ints
    place: int


def pseudo_likelihoods(model: LanguageModel, texts: Sequence[str]) -> list[PseudoLikelihood]:
    """Score every token of every text, each hidden once (Salazar et al. 2020).

    Of a text that is too long for the model, each token is seen in a window of its own, as wide
    as the model reads and with the token in the middle, as far as the text goes. Unknown tokens
    are left out, counted and said. Order and company of the texts change nothing.
    """
    encodings = model.tokenizer.encode(texts)
    contents = [_content(encoding) for encoding in encodings]
    questions = [
        _Question(ids_L, int(place))
        for ids_L in contents
        for place in _scored(model.tokenizer, ids_L)
    ]
    unknown = sum(int((ids_L == model.tokenizer.unk_id).sum()) for ids_L in contents)
    if unknown:
        token = model.tokenizer.token(model.tokenizer.unk_id)
        say(f"{unknown:,} of {sum(map(len, contents)):,} tokens are {token} and not scored")
    scores = iter(_answers(model, questions))
    likelihoods = []
    for text, ids_L in zip(texts, contents, strict=True):
        ids_T = ids_L[_scored(model.tokenizer, ids_L)].tolist()
        tokens = tuple(model.tokenizer.token(id_) for id_ in ids_T)
        likelihoods.append(PseudoLikelihood(text, tokens, tuple(next(scores) for _ in tokens)))
    return likelihoods


def corpus_perplexity(likelihoods: Sequence[PseudoLikelihood]) -> float:
    """exp(-sum of PLL / number of tokens), over all texts."""
    tokens = sum(len(item.tokens) for item in likelihoods)
    if not tokens:
        raise UserError(
            f"{len(likelihoods)} texts without a token to score", "give texts that hold something"
        )
    return math.exp(-math.fsum(item.total for item in likelihoods) / tokens)


def window(place: int, length: int, size: int) -> tuple[int, int]:
    """Cut the widest window around a place: `size` tokens, or all there are.

    The place is in its middle, except near the ends, where the window still keeps its size.
    """
    start = min(max(place - size // 2, 0), max(length - size, 0))
    return start, min(start + size, length)


def _answers(model: LanguageModel, questions: Sequence[_Question]) -> list[float]:
    scores: list[float] = []
    with bar("pseudo-perplexity", len(questions)) as shown:
        for first in range(0, len(questions), ROWS_AT_ONCE):
            part = questions[first : first + ROWS_AT_ONCE]
            rows = [_row(model, question) for question in part]
            targets = [question.ids_L[question.place, None] for question in part]
            found = model.log_probabilities(rows, targets, shown.advance)
            scores += [float(score[0]) for score in found]
    return scores


def _row(model: LanguageModel, question: _Question) -> Row:
    """Lay out the window around a token, the token hidden, between the special tokens."""
    tokenizer = model.tokenizer
    start, stop = window(question.place, len(question.ids_L), model.max_length - 2)
    ids_L = np.concatenate([[tokenizer.bos_id], question.ids_L[start:stop], [tokenizer.eos_id]])
    place = question.place - start + 1
    ids_L[place] = tokenizer.mask_id
    return Row(ids_L, np.array([place]))


def _content(encoding: Encoding) -> Ints:
    """Take the special tokens off that frame a text."""
    return np.array(encoding.ids[1:-1], np.int64)


def _scored(tokenizer: Tokenizer, ids_L: Ints) -> Ints:
    """Say which tokens are scored, by their places."""
    return np.flatnonzero(~np.isin(ids_L, tokenizer.special_ids))
