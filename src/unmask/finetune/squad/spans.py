"""Answers as tokens: what a model learns to point at.

Legend: Q questions, W windows, 2 the first and the last token.
"""

from collections.abc import Sequence

import numpy as np

from unmask.core.progress import say
from unmask.finetune.squad.document import Documents, Ints
from unmask.finetune.squad.read import Question, Reference
from unmask.finetune.squad.windows import Windows

NOWHERE = -1, -1
"""Before every window."""


def targets(questions: Sequence[Question], windows: Windows) -> Ints:
    """Find the first reference of each question in each of its windows: targets_W2.

    They are the places in the window of the answer's first and last token; 0 and 0, which is `<s>`
    or `[CLS]`, where the window does not hold it whole, as in run_qa of transformers.
    """
    token_Q2 = np.array(
        [
            tokens(question.references[0], windows.documents, document)
            if question.references
            else NOWHERE
            for question, document in zip(questions, windows.document_Q, strict=True)
        ]
    ).reshape(-1, 2)
    token_W2 = token_Q2[windows.question_W]
    origin_W = windows.token_T[windows.sequences.starts_N1[:-1] + windows.first_W]
    place_W2 = token_W2 + (windows.first_W - origin_W)[:, None]
    whole_W = (token_W2[:, 0] >= origin_W) & (place_W2[:, 1] < windows.last_W)
    _say_unreachable(questions, windows.question_W[whole_W])
    return np.where(whole_W[:, None], place_W2, 0)


def tokens(reference: Reference, documents: Documents, document: int) -> tuple[int, int]:
    """Find the first and the last token of `documents` that hold a character of the answer.

    White space around the answer counts for nothing. `NOWHERE` if no token holds any of it, as of
    control characters, which BERT drops.
    """
    here = slice(*documents.starts_N1[document : document + 2])
    begin = reference.end - len(reference.text.lstrip())
    end = reference.start + len(reference.text.rstrip())
    first = here.start + int(np.searchsorted(documents.end_T[here], begin, side="right"))
    last = here.start + int(np.searchsorted(documents.begin_T[here], end, side="left")) - 1
    return (int(first), int(last)) if first <= last else NOWHERE


def _say_unreachable(questions: Sequence[Question], reached_W: Ints) -> None:
    possible = {number for number, question in enumerate(questions) if not question.impossible}
    if missed := len(possible.difference(reached_W.tolist())):
        say(
            f"{missed:,} of {len(possible):,} answers stand whole in no window; their questions "
            "are trained as having none"
        )
