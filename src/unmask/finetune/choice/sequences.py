"""Questions as the token sequences of a model that gives every option one score.

Legend: N questions, C options of each, S = N * C sequences.
"""

import dataclasses
from collections.abc import Iterable, Sequence

import numpy as np

from unmask.core.progress import say
from unmask.finetune.choice import checks
from unmask.finetune.choice.example import Question
from unmask.finetune.choice.forms import Form
from unmask.finetune.choice.layout import Ids, Layout, Pair
from unmask.finetune.sequences import Sequences
from unmask.tokenizer.tokenizer import Tokenizer

OPTION_LENGTH = 128
"""Tokens of the short text, two special ones among them: fairseq's --max-option-length for RACE."""


@dataclasses.dataclass(frozen=True, slots=True)
class Choices:
    """Option c of question n is sequence n * options + c."""

    sequences: Sequences
    options: int
    """C, the number of options of every question."""
    long_cut: int
    """Sequences whose long text (the passage) lost its end."""
    short_cut: int
    """Sequences whose short text (the option, with RACE's question) lost its end."""


def encode(
    questions: Sequence[Question],
    tokenizer: Tokenizer,
    form: Form,
    *,
    max_length: int,
    option_length: int = OPTION_LENGTH,
) -> Choices:
    """Write every option of every question as one sequence; what is cut is counted and said.

    The short text has at most `option_length` tokens, two special ones counted; the long one gets
    what is left of `max_length`. A text loses its end and no special token: the last token before a
    cut of fairseq's (tasks/sentence_ranking.py) may be any, and is `</s>` here. Special tokens
    written out in a text are plain characters. UserError where questions differ in their number of
    options, or a length is too small.
    """
    layout = Layout.of(tokenizer, form, max_length, option_length)
    options = checks.number_of_options(questions)
    texts_S = [
        tuple(map(_line, form.texts(question, option)))
        for question in questions
        for option in question.options
    ]
    ids_of = _encoded((text for texts in texts_S for text in texts), tokenizer)
    whole_S = [(ids_of[first], ids_of[second]) for first, second in texts_S]
    pairs_S = [layout.fit(pair) for pair in whole_S]
    long_cut, short_cut = (_shorter(pairs_S, whole_S, of) for of in (form.long, 1 - form.long))
    of_all = f"of {len(pairs_S):,} sequences"
    if long_cut:
        say(f"{long_cut:,} {of_all}: the longer text is cut, for {max_length} tokens of both")
    if short_cut:
        say(f"{short_cut:,} {of_all}: the option is cut, for {option_length} tokens of it")
    return Choices(layout.lay(pairs_S), options, long_cut, short_cut)


def _line(text: str) -> str:
    """One line without blanks around it, as fairseq's preparation writes and reads its texts."""
    return text.replace("\n", " ").strip()


def _encoded(texts: Iterable[str], tokenizer: Tokenizer) -> dict[str, Ids]:
    """Encode each text once: a passage comes again with every option of every question on it."""
    unique = list(dict.fromkeys(texts))
    lines = tokenizer.encode_lines(unique)
    return {text: np.array(ids, dtype=np.int32) for text, ids in zip(unique, lines, strict=True)}


def _shorter(kept: list[Pair], whole: list[Pair], of: int) -> int:
    pairs = zip(kept, whole, strict=True)
    return sum(len(part[of]) < len(full[of]) for part, full in pairs)
