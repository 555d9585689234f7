"""Settings of `unmask demo`."""

import dataclasses
from pathlib import Path

from unmask.core.errors import UserError


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class DemoConfig:
    """Run the whole line on the documentation of the installed Python, and show what came out."""

    out: Path = Path("runs/demo")
    """Folder for everything that is made; what is there already is not made twice."""
    text_bytes: int = 12_000_000
    """Documentation read for pretraining, at most."""
    train_passages: int = 400
    """Labelled passages to fine-tune on; labels are scarce, which is why one pretrains."""
    vocabulary: int = 8_192
    """Size of the byte-level BPE."""
    layers: int = 4
    """Transformer blocks."""
    width: int = 256
    """Size of the hidden states."""
    length: int = 128
    """Tokens of a block."""
    batch: int = 16
    """Blocks of one pretraining step."""
    steps: int = 1_200
    """Pretraining steps."""
    peak_lr: float = 1e-3
    """Peak learning rate of pretraining."""
    epochs: int = 8
    """Passes over the labelled passages."""
    seed: int = 0
    """Decides everything that is drawn."""

    def __post_init__(self) -> None:
        if self.width % 64:
            raise UserError(
                f"--width {self.width}: the heads have size 64", "give a multiple of 64"
            )
