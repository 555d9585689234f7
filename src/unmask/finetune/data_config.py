"""How the files of a task are read: settings that fine-tuning and evaluation share."""

import dataclasses
from typing import Literal

from unmask.core.errors import UserError


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class ColumnsConfig:
    """Which columns of a table are read, and what the label is."""

    text: str = "text"
    """Column of the text."""
    pair: str | None = None
    """Column of a second text, for pairs."""
    label: str = "label"
    """Column of the label."""
    names: tuple[str, ...] | None = None
    """Names of all columns, in order, of a .tsv or .csv without a header."""
    target: Literal["class", "several", "number"] = "class"
    """class: one label; several: any number of labels in one cell; number: a number to predict."""
    separator: str = "|"
    """What stands between several labels of a cell."""

    def __post_init__(self) -> None:
        if self.separator != "|" and self.target != "several":
            raise UserError(
                f"--columns.separator {self.separator!r} with --columns.target {self.target}: only "
                "several labels have something between them",
                "leave it out, or give --columns.target several",
            )


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class WindowsConfig:
    """How long contexts of questions are cut (Devlin et al. 2019, run_squad.py)."""

    stride: int = 128
    """Tokens of context that neighbouring windows share."""
    question: int = 64
    """Longer questions are cut to so many tokens."""
    answer: int = 30
    """Answers of more tokens are never given."""

    def __post_init__(self) -> None:
        for name in ("stride", "question", "answer"):
            if (value := getattr(self, name)) < 1:
                raise UserError(f"--windows.{name} {value}: too small", "give 1 or more")


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class ChoicesConfig:
    """Which columns of a table of questions hold what."""

    options: tuple[str, ...] = ()
    """One column for each option, or the one column whose cells are lists of them."""
    answers: Literal["from-0", "from-1", "letters"] = "from-0"
    """How the answers are written: numbers counted from 0 or from 1, or the letters A, B, C..."""
    label: str = "label"
    """Column of the answer."""
    passage: str | None = None
    """Column of the text that the question is about."""
    question: str | None = None
    """Column of the question, or of the beginning that the options go on with."""
    id: str | None = None
    """Column of the id; without one, rows are numbered from 1."""
    names: tuple[str, ...] | None = None
    """Names of all columns, in order, of a .tsv or .csv without a header."""


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class EntitiesConfig:
    """How files with one word a line are read."""

    word: int = 0
    """Column of the word, counted from 0."""
    tag: int | None = None
    """Column of the tag; by default the last one."""
    separator: str | None = None
    """What stands between columns; by default any white space."""
    scheme: Literal["auto", "iob1", "iob2", "bioes"] = "auto"
    """How tags are written; auto finds it out and says it."""
