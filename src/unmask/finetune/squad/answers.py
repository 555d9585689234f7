"""From the logits of all windows of a question to its answers.

Legend: Q questions, W windows, T tokens of all windows end to end, R tokens of the windows of one
question, A tokens of an answer, S spans.
"""

import dataclasses
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from numpy.lib.stride_tricks import sliding_window_view

from unmask.core.errors import UserError
from unmask.finetune.squad.document import Int32s, Ints
from unmask.finetune.squad.read import Question
from unmask.finetune.squad.windows import Windows

Logits = npt.NDArray[np.float32]
Floats = npt.NDArray[np.float64]


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class Search:
    """Which spans of text may be answers."""

    candidates: int = 20
    """Spans kept of each question."""
    tokens: int = 30
    """Tokens of an answer at most."""


@dataclasses.dataclass(frozen=True, slots=True)
class Span:
    """A piece of the context: characters `begin` to `end` of it, untouched, and their logits."""

    text: str
    begin: int
    end: int
    start_logit: float
    end_logit: float

    @property
    def score(self) -> float:
        """The sum of both logits."""
        return self.start_logit + self.end_logit


@dataclasses.dataclass(frozen=True, slots=True)
class Answer:
    """What a model answers to one question."""

    id: str
    spans: tuple[Span, ...]
    """The best first, every text once; none at all where no token holds a character."""
    none: Span
    """The empty text, with the logits of the window that holds an answer most likely."""

    @property
    def best(self) -> str:
        """The best text, whether or not there may be no answer."""
        return self.spans[0].text if self.spans else ""

    @property
    def null_odds(self) -> float:
        """How far the score of no answer is above that of the best text."""
        return self.none.score - (self.spans[0].score if self.spans else 0.0)

    def best_or_none(self, na_threshold: float) -> str:
        """The best text, or the empty one where `null_odds` is above the threshold."""
        return "" if self.null_odds > na_threshold else self.best

    @property
    def spans_or_none(self) -> tuple[Span, ...]:
        """The spans with no answer among them, the best first."""
        return tuple(sorted((*self.spans, self.none), key=lambda span: -span.score))


def answer(
    questions: Sequence[Question], windows: Windows, logits_T2: Logits, search: Search
) -> list[Answer]:
    """Answer every question by the best spans over all of its windows.

    `logits_T2` are the start and end logits of `windows.sequences.ids_T`, where no token is
    padding. Scores are compared as they are, never averaged over windows. A span lies in the
    context of one window, has at most `search.tokens` tokens, and begins and ends with one that
    holds more than white space. Every such span is looked at; run_qa of transformers combines the
    20 best starts with the 20 best ends and may miss the best. Of spans with the same text among
    the candidates the best stays. The score of no answer is, as in run_qa, the least that `<s>`
    has in any window. UserError if a logit is not finite.
    """
    assert logits_T2.shape == (len(windows.token_T), 2)
    assert len(questions) == len(windows.document_Q)
    _refuse_infinite(logits_T2)
    field = _Field.of(windows, logits_T2.astype(np.float64), search.tokens)
    window_Q1 = np.searchsorted(windows.question_W, np.arange(len(questions) + 1))
    return [
        Answer(
            question.id,
            field.spans(question.context, first, last, search.candidates),
            field.none(first, last),
        )
        for question, first, last in zip(questions, window_Q1[:-1], window_Q1[1:], strict=True)
    ]


def shares(spans: Sequence[Span]) -> list[float]:
    """Probabilities of spans among themselves: a softmax over their scores."""
    score_S = np.array([span.score for span in spans])
    weight_S = np.exp(score_S - score_S.max(initial=-np.inf))
    probabilities: list[float] = (weight_S / weight_S.sum()).tolist()
    return probabilities


def _refuse_infinite(logits_T2: Logits) -> None:
    if bad := int((~np.isfinite(logits_T2)).any(axis=1).sum()):
        raise UserError(
            f"the model gives no finite logits for {bad:,} of {len(logits_T2):,} tokens",
            "its weights are damaged, or the precision is too small for it: try fp32",
        )


@dataclasses.dataclass(frozen=True, slots=True)
class _Field:
    """Spans of all windows: row t has those that begin with token t, by the number of tokens."""

    logits_T2: Floats
    start_T: Floats
    """-inf where no answer begins."""
    end_TA: Floats
    """End logits of the token itself and of those after it; -inf where no answer ends."""
    left_T: Ints
    """Tokens from this one to the end of the context in its window; less than 1 beyond it."""
    begin_T: Int32s
    end_T: Int32s
    starts_W1: Ints

    @classmethod
    def of(cls, windows: Windows, logits_T2: Floats, tokens: int) -> "_Field":
        token_T, starts_W1 = windows.token_T, windows.sequences.starts_N1
        # -1, of a token that is not of the context, looks up what is appended
        begin_T = np.append(windows.documents.begin_T, np.int32(0))[token_T]
        end_T = np.append(windows.documents.end_T, np.int32(0))[token_T]
        start_T, last_T = np.where((begin_T < end_T)[:, None], logits_T2, -np.inf).T
        stop_T = np.repeat(starts_W1[:-1] + windows.last_W, windows.sequences.lengths_N)
        return cls(
            logits_T2,
            start_T,
            sliding_window_view(np.append(last_T, np.full(tokens - 1, -np.inf)), tokens),
            stop_T - np.arange(len(stop_T)),
            begin_T,
            end_T,
            starts_W1,
        )

    def spans(self, context: str, first: int, last: int, candidates: int) -> tuple[Span, ...]:
        """Take the best spans of some windows; equal scores in the order of the text."""
        base = int(self.starts_W1[first])
        here = slice(base, int(self.starts_W1[last]))
        score_RA = self.start_T[here, None] + self.end_TA[here]
        score_RA[self.left_T[here, None] <= np.arange(score_RA.shape[1])] = -np.inf
        by_text: dict[str, Span] = {}
        for place in _best(score_RA.ravel(), candidates).tolist():
            row, further = divmod(place, score_RA.shape[1])
            token = base + row
            begin, end = int(self.begin_T[token]), int(self.end_T[token + further])
            logits = float(self.logits_T2[token, 0]), float(self.logits_T2[token + further, 1])
            span = Span(context[begin:end], begin, end, *logits)
            by_text.setdefault(span.text, span)
        return tuple(by_text.values())

    def none(self, first: int, last: int) -> Span:
        """Take the logits of `<s>` in the window where their sum is least."""
        logits_W2 = self.logits_T2[self.starts_W1[first:last]]
        start_logit, end_logit = logits_W2[logits_W2.sum(axis=1).argmin()].tolist()
        return Span("", 0, 0, start_logit, end_logit)


def _best(score_N: Floats, count: int) -> Ints:
    """Places of the highest finite scores, the highest first, equal ones in their order."""
    count = min(count, len(score_N))
    least = np.partition(score_N, len(score_N) - count)[len(score_N) - count]
    chosen = np.flatnonzero((score_N >= least) & (score_N > -np.inf))
    return chosen[np.argsort(-score_N[chosen], kind="stable")][:count]
