"""Settings of `unmask predict`."""

import dataclasses
from pathlib import Path

from unmask.core.errors import UserError


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class PredictConfig:
    """Answer for texts, one JSON line each on stdout: fill masks or classify, as the model does."""

    model: Path
    """Model folder, or export folder (then ONNX Runtime runs it)."""
    text: tuple[str, ...] = ()
    """Texts to answer for; without --text and --file they are read from stdin, one a line."""
    file: Path | None = None
    """File of texts: .txt with one a line, or a .tsv, .csv, .jsonl or .parquet table."""
    text_column: str | None = None
    """Column of the text in a table; by default `text`."""
    pair_column: str | None = None
    """Column of a second text in a table, for classifiers of pairs."""
    top_k: int | None = None
    """Candidates for each mask; by default 5."""

    def __post_init__(self) -> None:
        if self.text and self.file is not None:
            raise UserError("--text and --file are both given", "give one of them")
        table = self.file is not None and self.file.suffix != ".txt"
        if not table and (self.text_column or self.pair_column):
            raise UserError(
                f"--text-column {self.text_column}, --pair-column {self.pair_column}: columns are "
                "those of a table",
                "give a .tsv, .csv, .jsonl or .parquet file by --file",
            )
        if self.top_k is not None and self.top_k < 1:
            raise UserError(f"--top-k {self.top_k}: too small", "give 1 or more")
