"""What is shown of a tokens folder, as plain data: the terminal and the page show the same."""

import dataclasses
from typing import Literal

Fate = Literal["masked", "random", "kept"]
"""What became of a token that has to be predicted."""
FATES: tuple[Fate, ...] = ("masked", "random", "kept")
Segment = Literal["A", "B"] | None
"""The segment of a pair; None in formats without pairs."""


@dataclasses.dataclass(frozen=True, slots=True)
class Seen:
    """What the model sees in the place of a token that it has to predict."""

    fate: Fate
    id: int
    token: str
    """As the vocabulary writes it."""
    text: str


@dataclasses.dataclass(frozen=True, slots=True)
class Token:
    """One place of a block."""

    id: int
    token: str
    """As the vocabulary writes it."""
    text: str
    """As people read it, with the space in front of it."""
    special: bool
    seen: Seen | None = None
    """None where the model sees the token itself and need not predict it."""


@dataclasses.dataclass(frozen=True, slots=True)
class Passage:
    """A part of a block whose text is of one document, or one segment of a pair."""

    document: int | None
    """Numbered in the split, from 0; None where there is no text, only special tokens."""
    sentence: int
    """Where the text begins: numbered in the document, from 0."""
    inside: bool
    """Whether it begins inside of that sentence."""
    segment: Segment
    tokens: tuple[Token, ...]

    @property
    def origin(self) -> str:
        """Where the text is from, in words."""
        if self.document is None:
            return "no text"
        if self.inside:
            place = f"from inside sentence {self.sentence:,}"
        else:
            place = f"from sentence {self.sentence:,}" if self.sentence else "from its beginning"
        segment = f"{self.segment}: " if self.segment else ""
        return f"{segment}document {self.document:,}, {place}"


@dataclasses.dataclass(frozen=True, slots=True)
class Block:
    """One training sequence."""

    number: int
    tokens: int
    """Special tokens included."""
    padding: int
    follows: bool | None
    """Pairs only: whether B follows A in its document."""
    passages: tuple[Passage, ...]

    @property
    def summary(self) -> str:
        """Its counts, in words."""
        tokens = [token for passage in self.passages for token in passage.tokens]
        fates = [token.seen.fate for token in tokens if token.seen is not None]
        counts = ", ".join(f"{fates.count(fate)} {fate}" for fate in FATES)
        padding = f", {self.padding} padding" if self.padding else ""
        return f"{self.tokens} tokens{padding}; {len(fates)} to predict: {counts}"

    @property
    def label(self) -> str:
        """The label of next-sentence prediction, in words; empty in formats without pairs."""
        if self.follows is None:
            return ""
        return "B follows A" if self.follows else "B is from another document"


@dataclasses.dataclass(frozen=True, slots=True)
class Bin:
    """How many have a length from `low` to `high`."""

    low: int
    high: int
    count: int

    @property
    def span(self) -> str:
        """Its lengths, in words."""
        return f"{self.low:,}" if self.low == self.high else f"{self.low:,}–{self.high:,}"


@dataclasses.dataclass(frozen=True, slots=True)
class Histogram:
    """The lengths in tokens of blocks, sentences or documents."""

    title: str
    bins: tuple[Bin, ...]
    count: int
    mean: float
    median: int
    longest: int

    @property
    def said(self) -> str:
        """Its numbers, in words."""
        return (
            f"{self.count:,} {self.title}, mean {self.mean:,.1f}, median {self.median:,}, "
            f"longest {self.longest:,}"
        )


@dataclasses.dataclass(frozen=True, slots=True)
class Table:
    """A fact a row, a split a column."""

    title: str
    rows: tuple[tuple[str, str, str], ...]
    """The name, then the value in train and in valid."""


@dataclasses.dataclass(frozen=True, slots=True)
class Look:
    """Everything that is shown."""

    folder: str
    facts: tuple[tuple[str, str], ...]
    """What holds for the folder as a whole."""
    tables: tuple[Table, ...]
    histograms: tuple[Histogram, ...]
    """Those of one split."""
    blocks: tuple[Block, ...]
    count: int
    """How many blocks the split has."""
    split: str
    epoch: int
    seed: int
    byte_level: bool
    """Whether tokens may be parts of characters."""

    @property
    def shown(self) -> str:
        """Which blocks are shown, of how many, and which masks."""
        first, last = self.blocks[0].number, self.blocks[-1].number
        which = f"block {first:,}" if first == last else f"blocks {first:,} to {last:,}"
        masks = f"masks of epoch {self.epoch:,}, seed {self.seed}"
        return f"{self.split}: {which} of {self.count:,}; {masks}"
