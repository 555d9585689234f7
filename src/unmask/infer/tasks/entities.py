"""Entities in running text."""

import dataclasses
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from unmask.finetune.entities import split
from unmask.finetune.entities.spans import entities, tag
from unmask.finetune.entities.windows import cut
from unmask.finetune.entities.words import NOTHING, Words
from unmask.finetune.known import Known
from unmask.infer.backend import Backend, open_backend
from unmask.infer.sequences import by_token
from unmask.model import weights
from unmask.tokenizer.tokenizer import Tokenizer


@dataclasses.dataclass(frozen=True, slots=True)
class EntityFinder:
    """Finds entities, with the characters they stand at, in texts of any length."""

    backend: Backend
    tokenizer: Tokenizer
    labels: tuple[str, ...]
    splitter: split.Splitter
    """Where the words of a text are: as the model was taught."""
    max_length: int

    @classmethod
    def open(cls, folder: Path) -> "EntityFinder":
        """Open a model or export folder."""
        known = Known.of(folder)
        by_character = known.facts.get("joiner") == NOTHING
        return cls(
            open_backend(folder),
            Tokenizer.load(folder),
            known.labels,
            split.characters if by_character else split.words,
            known.facts.get("max_length", weights.read_config(folder).max_length),
        )

    def __call__(self, texts: Sequence[str]) -> Iterator[dict[str, Any]]:
        """Answer for each text, in order."""
        windows = cut(Words.found(texts, self.splitter), self.tokenizer, self.max_length)
        logits = by_token(self.backend, windows.sequences, self.tokenizer.pad_id)
        for text, found in zip(texts, entities(tag(windows, logits, self.labels)), strict=True):
            yield {
                "text": text,
                "entities": [
                    {
                        "type": one.type,
                        "text": one.text,
                        "start": one.begin,
                        "end": one.end,
                        "score": one.score,
                    }
                    for one in found
                ],
            }
