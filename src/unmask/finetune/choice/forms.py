"""How a question and one of its options are written as the two texts that a model reads."""

import dataclasses
import re
from collections.abc import Callable
from typing import Literal

from unmask.finetune.choice.example import Question

BLANK = re.compile("_+")

Texts = Callable[[Question, str], tuple[str, str]]


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class Form:
    """The two texts, what stands between them, and which of them is cut."""

    texts: Texts
    separators: Literal[1, 2]
    """How many `</s>` stand between RoBERTa's two texts; between BERT's there is one `[SEP]`."""
    long: Literal[0, 1]
    """The text that gives way where both are too long; the other one is short by nature."""


def _reading(question: Question, option: str) -> tuple[str, str]:
    if BLANK.search(question.question):
        asked = BLANK.sub(lambda _: option, question.question)
    else:
        asked = f"{question.question} {option}"
    return asked, question.passage


def _commonsense(question: Question, option: str) -> tuple[str, str]:
    return f"Q: {question.question}", f"A: {option}"


def _continuing(question: Question, option: str) -> tuple[str, str]:
    return question.question, option


READING = Form(texts=_reading, separators=2, long=1)
"""`<s> question option </s></s> passage </s>`; the option fills a `_` in the question.

RACE as fairseq writes it (examples/roberta/preprocess_RACE.py, tasks/sentence_ranking.py), where a
blank of several `_` counts as one: DREAM has such.
"""
COMMONSENSE = Form(texts=_commonsense, separators=1, long=0)
"""`<s> Q: question </s> A: option </s>`, as fairseq's examples/roberta/commonsense_qa has it."""
CONTINUING = Form(texts=_continuing, separators=2, long=0)
"""`<s> question </s></s> option </s>`: any pair, where there is no passage."""
