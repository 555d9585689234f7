"""Sentences of tagged words, and where they stand."""

import dataclasses
from pathlib import Path


@dataclasses.dataclass(frozen=True, slots=True)
class Sentence:
    """Words of one sentence with a tag each."""

    words: tuple[str, ...]
    tags: tuple[str, ...]
    path: Path
    number: int
    """The line of the first word where each word has a line, else the row; counted from 1."""
    by_line: bool = True

    def place(self, index: int) -> str:
        """Say where a word stands, for an error."""
        if self.by_line:
            return f"{self.path}: line {self.number + index}"
        return f"{self.path}: row {self.number}, token {index + 1}"
