"""Settings of `unmask tokens`."""

import dataclasses
from typing import Literal

from unmask.core.engine_config import EngineConfig
from unmask.core.errors import UserError
from unmask.core.locations import Location
from unmask.tokens.plan_names import SHORTEST, PlanName


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class TokensConfig(EngineConfig):
    """Turn a corpus into memory-mapped token shards, and plan the training blocks."""

    corpus: Location
    """Corpus folder, written by `unmask corpus`."""
    tokenizer: Location
    """Tokenizer folder, written by `unmask tokenizer`."""
    out: Location
    """Folder to write."""
    plan: PlanName = "full-sentences"
    """How documents become blocks (docs/input-formats.md); `pretrain` takes it from here, and any
    other plan can be made from the same shards."""
    length: int = 512
    """Tokens of a block, special tokens included."""
    sentences: Literal["lines", "split"] = "lines"
    """Whether each line is one sentence, or is cut into sentences."""
    language: str | None = None
    """With --sentences split: the language of the text, such as en or zh."""
    force: bool = False
    """Redo the work even if the result is there already."""

    def __post_init__(self) -> None:
        EngineConfig.__post_init__(self)
        if not SHORTEST <= self.length < 1 << 16:
            raise UserError(
                f"--length {self.length}: must be from {SHORTEST} to 65,535",
                "RoBERTa has 512, special tokens included",
            )
        if self.sentences == "split" and self.language is None:
            raise UserError("--sentences split needs --language", "for example --language en")
        if self.sentences == "lines" and self.language is not None:
            raise UserError(
                f"--language {self.language}: lines are taken as they are",
                "add --sentences split, or leave it out",
            )
