"""Which of several fillings of a gap, or continuations of a text, is likelier."""

import dataclasses
from collections.abc import Iterator, Sequence

from unmask.core.errors import UserError
from unmask.infer.language.model import LanguageModel
from unmask.infer.language.perplexity import pseudo_likelihoods
from unmask.infer.language.quoting import quoted
from unmask.infer.language.spans import Span, span_scores

GAP = "_"


@dataclasses.dataclass(frozen=True, slots=True)
class Question:
    """A text with a gap and what may fill it; a continuation is a gap at the end."""

    before: str
    after: str
    options: tuple[str, ...]

    def __post_init__(self) -> None:
        if not self.options:
            raise UserError(
                f"text {quoted(self.before + GAP + self.after)}: no options", "give two or more"
            )

    @classmethod
    def parse(cls, text: str, options: Sequence[str], gap: str = GAP) -> "Question":
        """Split a text at its one gap; UserError if there is none or there are more."""
        before, *after = text.split(gap)
        if len(after) != 1:
            raise UserError(
                f"text {quoted(text)}: {len(after)} gaps, and there should be one",
                f"write {gap} once, where an option should stand",
            )
        return cls(before, after[0], tuple(options))

    def spans(self) -> Iterator[Span]:
        """Yield the text with each option, and where the option stands."""
        for option in self.options:
            stop = len(self.before) + len(option)
            yield Span(self.before + option + self.after, len(self.before), stop)


@dataclasses.dataclass(frozen=True, slots=True)
class Choice:
    """The scores of the options, in their order."""

    options: tuple[str, ...]
    scores: tuple[float, ...]
    """log p (nats): what it is a mean or a sum of, the function says that chose."""

    @property
    def number(self) -> int:
        """Number of the likeliest option; the first of equals."""
        return max(range(len(self.scores)), key=self.scores.__getitem__)

    @property
    def best(self) -> str:
        """The likeliest option."""
        return self.options[self.number]


def choose(model: LanguageModel, questions: Sequence[Question]) -> list[Choice]:
    """Compare options by the mean log p of their tokens, all hidden at once.

    The mean makes options of different lengths comparable; of the text around them nothing is
    counted (fairseq, examples/roberta/wsc).
    """
    spans = [span for question in questions for span in question.spans()]
    return _choices(questions, span_scores(model, spans))


def choose_by_text(model: LanguageModel, questions: Sequence[Question]) -> list[Choice]:
    """Compare options by the pseudo-log-likelihood of the whole text with each of them.

    It sums over all tokens of the text, so the longer of two options starts behind; and it costs a
    row for every token (Salazar et al. 2020).
    """
    texts = [span.text for question in questions for span in question.spans()]
    return _choices(questions, [item.total for item in pseudo_likelihoods(model, texts)])


def _choices(questions: Sequence[Question], scores: Sequence[float]) -> list[Choice]:
    left = iter(scores)
    return [
        Choice(question.options, tuple(next(left) for _ in question.options))
        for question in questions
    ]
