"""Flags that the head of a model would not read."""

from typing import NamedTuple

from unmask.core.errors import UserError
from unmask.finetune.data_config import ChoicesConfig
from unmask.infer.config import PredictConfig
from unmask.model.heads import (
    MaskedLM,
    Model,
    MultipleChoice,
    SequenceClassifier,
    SpanExtractor,
    TokenClassifier,
)


class Flag(NamedTuple):
    """A setting, the heads that read it, and what is to be said to a model with another one."""

    name: str
    kinds: tuple[type[Model], ...]
    why_not: str
    hint: str = "leave it out"


FLAGS = (
    Flag("question", (SpanExtractor, MultipleChoice), "answers no questions"),
    Flag(
        "option",
        (MultipleChoice,),
        "does not choose",
        "leave it out; a masked language model chooses with --mode choose",
    ),
    Flag("choices", (MultipleChoice,), "does not choose"),
    Flag("top_k", (MaskedLM, SpanExtractor), "fills no masks"),
    Flag(
        "text_column",
        (MaskedLM, SequenceClassifier, TokenClassifier, SpanExtractor),
        "chooses an option",
        "name the columns with --choices.passage and --choices.question",
    ),
    Flag(
        "pair",
        (MaskedLM, SequenceClassifier),
        "reads no pairs",
        "leave it out; a question is given by --question",
    ),
    Flag("pair_column", (MaskedLM, SequenceClassifier, SpanExtractor), "reads no pairs"),
)
UNSET = (None, (), ChoicesConfig())


def refuse_unread(config: PredictConfig, kind: type[Model]) -> None:
    """UserError for a flag that this kind of head does not read."""
    for flag in FLAGS:
        value = getattr(config, flag.name)
        if value not in UNSET and kind not in flag.kinds:
            shown = f" {value!r}" if isinstance(value, str | int) else ""
            raise UserError(
                f"--{flag.name.replace('_', '-')}{shown}: {config.model} {flag.why_not}", flag.hint
            )
