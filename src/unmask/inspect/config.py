"""Settings of `unmask tokens inspect`."""

import dataclasses
from pathlib import Path
from typing import Annotated, Literal

import tyro

from unmask.core.errors import UserError
from unmask.core.locations import Location
from unmask.pretrain.masking.config import MaskingConfig
from unmask.tokens.plan_names import SHORTEST, PlanName


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class InspectConfig:
    """Show what a tokens folder holds, once every file of it has the hash it should have.

    Counts, lengths, and the first blocks as text, with what is masked in them in one epoch.
    """

    folder: Annotated[Location, tyro.conf.Positional]
    """Tokens folder, written by `unmask tokens`."""
    tokenizer: Location | None = None
    """Tokenizer folder; by default the one the tokens folder was made with."""
    split: Literal["train", "valid"] = "train"
    """Whose blocks and lengths are shown; the table has both."""
    plan: PlanName | None = None
    """How documents become blocks (docs/input-formats.md); by default the folder's own plan."""
    length: int | None = None
    """Tokens of a block, special tokens included; by default the folder's own length."""
    first: int = 0
    """Number of the first block shown; blocks are numbered from 0."""
    blocks: int = 3
    """How many blocks are shown, at most."""
    epoch: int = 0
    """The epoch whose masks are shown."""
    seed: int = 0
    """The seed of the masks: what `pretrain --seed` has."""
    masking: MaskingConfig = dataclasses.field(default_factory=MaskingConfig)
    html: Path | None = None
    """Write a page to this file instead of showing it here."""

    def __post_init__(self) -> None:
        for name, least in (("blocks", 1), ("first", 0), ("epoch", 0)):
            if getattr(self, name) < least:
                raise UserError(
                    f"--{name} {getattr(self, name)}: too small", f"give {least} or more"
                )
        if self.length is not None and not SHORTEST <= self.length < 1 << 16:
            raise UserError(
                f"--length {self.length}: must be from {SHORTEST} to 65,535",
                "leave it out for the length the folder was made for",
            )
