"""Settings of `unmask tokens`."""

import dataclasses
from pathlib import Path

from unmask.core.errors import UserError


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class TokensConfig:
    """Turn a corpus into memory-mapped token shards."""

    corpus: Path
    """Corpus folder, written by `unmask corpus`."""
    tokenizer: Path
    """Tokenizer folder, written by `unmask tokenizer`."""
    out: Path
    """Folder to write."""
    shard_tokens: int = 1 << 26
    """Tokens after which a new shard begins, at the next end of a document."""
    force: bool = False
    """Redo the work even if the result is there already."""

    def __post_init__(self) -> None:
        if self.shard_tokens < 1:
            raise UserError(f"--shard-tokens {self.shard_tokens}: too small", "give 1 or more")
