"""Settings of `unmask export`."""

import dataclasses
from pathlib import Path

from unmask.core.errors import UserError


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class ExportConfig:
    """Export a model to ONNX and check it against PyTorch on real text."""

    model: Path
    """Model folder."""
    data: Path
    """Text on which both are compared: a .tsv, .csv, .jsonl or .parquet table."""
    out: Path
    """Export folder to write."""
    text_column: str = "text"
    """Column of the text."""
    pair_column: str | None = None
    """Column of a second text, for classifiers of pairs."""
    texts: int = 256
    """Texts compared, at most."""
    tolerance: float = 1e-4
    """Largest absolute difference of a logit; above it nothing is written."""
    force: bool = False
    """Redo the work even if the result is there already."""

    def __post_init__(self) -> None:
        if self.texts < 1:
            raise UserError(f"--texts {self.texts}: too small", "give 1 or more")
        if self.tolerance <= 0:
            raise UserError(f"--tolerance {self.tolerance}: must be positive", "try 1e-4")
