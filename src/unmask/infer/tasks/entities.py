"""Entities in running text."""

import dataclasses
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final

from unmask.finetune.entities import split
from unmask.finetune.entities.spans import entities, tag
from unmask.finetune.entities.windows import cut
from unmask.finetune.entities.words import NOTHING, SPACE, Words
from unmask.finetune.known import Known
from unmask.infer.backend import Backend, open_backend
from unmask.infer.batches import by_token
from unmask.infer.engine_config import AS_MADE, EngineConfig
from unmask.model import weights
from unmask.tokenizer.tokenizer import Tokenizer

_PIECES = re.compile(
    "[{0}]|[^{0}]+".format("\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U000323af")
)


def words_and_ideographs(text: str) -> Iterator[split.Place]:
    """Find words, and every Chinese ideograph apart, as BERT's tokenizer has them."""
    for begin, end in split.words(text):
        yield from (piece.span() for piece in _PIECES.finditer(text, begin, end))


SPLITTERS: Final[dict[str | None, split.Splitter]] = {
    SPACE: split.words,
    NOTHING: split.characters,
    None: words_and_ideographs,
}
"""By what stood between the words that a model was taught; None for one that unmask did not."""


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
    def open(
        cls, folder: Path, engine: EngineConfig = AS_MADE, *, many: bool = True
    ) -> "EntityFinder":
        """Open a model or export folder; `many` says that texts come in plenty."""
        known = Known.of(folder)
        return cls(
            open_backend(folder, engine, many=many),
            Tokenizer.load(folder),
            known.labels,
            SPLITTERS[known.facts.get("joiner")],
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
