"""What a pronoun stands for: candidates in its place, scored by a masked language model."""

import dataclasses
import re
from collections.abc import Sequence

from unmask.core.errors import UserError
from unmask.infer.language.choose import Question, choose
from unmask.infer.language.model import LanguageModel
from unmask.infer.language.quoting import quoted

MARKS = re.compile(r"_([^_]*)_|\[([^\]]*)\]")
MARKUP = "write _candidate_ around noun phrases, the asked one first, and [it] around the pronoun"


@dataclasses.dataclass(frozen=True, slots=True)
class Pronoun:
    """A text, a pronoun in it, and the noun phrases that it may stand for.

    The phrases must be given: no parser looks for them.
    """

    text: str
    start: int
    """Characters of the pronoun."""
    stop: int
    candidates: tuple[str, ...]
    query: str | None = None
    """The phrase that is asked about, if one is: is it what the pronoun stands for?"""

    @classmethod
    def parse(cls, marked: str, candidates: Sequence[str] = ()) -> "Pronoun":
        """Read "The _trophy_ does not fit into the _case_ because [it] is too big".

        As for fairseq's disambiguate_pronoun, the pronoun is in brackets and the phrase that is
        asked about between underscores. fairseq's parser finds its rivals; here they are further
        phrases between underscores, or `candidates`.
        """
        text, spans, end = "", [], 0
        for match in MARKS.finditer(marked):
            text += marked[end : match.start()]
            spans.append((match[1] is None, len(text), len(text) + len(match[0]) - 2))
            text, end = text + match[0][1:-1], match.end()
        text += marked[end:]
        pronouns = [(start, stop) for is_pronoun, start, stop in spans if is_pronoun]
        if len(pronouns) != 1:
            raise UserError(
                f"text {quoted(marked)}: {len(pronouns)} pronouns are marked, not one", MARKUP
            )
        nouns = [text[start:stop] for is_pronoun, start, stop in spans if not is_pronoun]
        query = nouns[0] if nouns else None
        return cls(text, *pronouns[0], (*nouns[1:], *candidates), query)

    @property
    def rivals(self) -> tuple[str, ...]:
        """The candidates that are neither part of the query nor hold it, as fairseq has them."""
        if self.query is None:
            return self.candidates
        query = self.query.lower()
        return tuple(
            item
            for item in self.candidates
            if item.lower() not in query and query not in item.lower()
        )

    def question(self) -> Question:
        """Put the query, if there is one, and its rivals in the place of the pronoun."""
        own = () if self.query is None else (self.query,)
        options = own + self.rivals
        if len(options) < 2:
            raise UserError(
                f"text {quoted(self.text)}: {len(options)} candidates for {self._pronoun!r}; "
                "there is nothing to compare",
                MARKUP,
            )
        return Question(self.text[: self.start], self.text[self.stop :], options)

    @property
    def _pronoun(self) -> str:
        return self.text[self.start : self.stop]


@dataclasses.dataclass(frozen=True, slots=True)
class Resolution:
    """What a pronoun stands for."""

    candidates: tuple[str, ...]
    """Those that were compared, the query first."""
    scores: tuple[float, ...]
    """Mean log p (nats) of the tokens of each."""
    best: str
    is_query: bool | None
    """Whether no rival is likelier than the query; None where there is no query."""


def disambiguate(model: LanguageModel, pronouns: Sequence[Pronoun]) -> list[Resolution]:
    """Find the likeliest candidate for each pronoun (fairseq, examples/roberta/wsc)."""
    choices = choose(model, [pronoun.question() for pronoun in pronouns])
    return [
        Resolution(
            choice.options,
            choice.scores,
            choice.best,
            None if pronoun.query is None else choice.number == 0,
        )
        for pronoun, choice in zip(pronouns, choices, strict=True)
    ]
