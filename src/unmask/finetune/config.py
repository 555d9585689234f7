"""Settings of `unmask finetune` and `unmask evaluate`."""

import dataclasses
from pathlib import Path
from typing import Literal

from unmask.core.errors import UserError
from unmask.train.config import Device, OptimConfig, Precision


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class ColumnsConfig:
    """Which columns of a table are read."""

    text: str = "text"
    """Column of the text."""
    pair: str | None = None
    """Column of a second text, for pairs."""
    label: str = "label"
    """Column of the label."""
    names: tuple[str, ...] | None = None
    """Names of all columns, in order, of a .tsv or .csv without a header, such as CoLA's."""


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class FinetuneConfig:
    """Fine-tune a classifier; the epoch with the best score on dev is kept."""

    data: Path
    """Folder with train.* and dev.*: .tsv, .csv, .jsonl or .parquet, also as .gz or .zst."""
    model: Path
    """Model folder to start from."""
    out: Path
    """Run folder."""
    weights: Literal["pretrained", "random"] = "pretrained"
    """random keeps the architecture and the tokenizer only, to measure what pretraining brings."""
    columns: ColumnsConfig = dataclasses.field(default_factory=ColumnsConfig)
    optim: OptimConfig = dataclasses.field(
        default_factory=lambda: OptimConfig(peak_lr=2e-5, weight_decay=0.1)
    )
    metric: Literal["accuracy", "macro_f1", "mcc"] = "accuracy"
    """Score on dev by which the best epoch is chosen."""
    epochs: int = 10
    """Passes over the training data."""
    batch: int = 32
    """Examples of one step."""
    warmup_share: float = 0.06
    """Share of the steps over which the learning rate rises."""
    dropout: float | None = None
    """Dropout on hidden states and attention; by default as the model was pretrained."""
    max_length: int = 512
    """Longer examples are truncated; the model's own limit may be lower."""
    seed: int = 0
    """Decides the head's initial weights, the order and dropout."""
    device: Device = "auto"
    """Where to compute."""
    precision: Precision = "auto"
    """bf16 multiplies matrices in bf16 and keeps weights in fp32; auto: bf16 where it is native."""
    force: bool = False
    """Throw away the run in this folder and start anew."""

    def __post_init__(self) -> None:
        for name, value in (("epochs", self.epochs), ("batch", self.batch)):
            if value < 1:
                raise UserError(f"--{name} {value}: too small", "give 1 or more")
        if self.max_length < 8:
            raise UserError(f"--max-length {self.max_length}: too small", "give 8 or more")
        if self.dropout is not None and not 0 <= self.dropout < 1:
            raise UserError(f"--dropout {self.dropout}: must be in [0, 1)", "the paper has 0.1")
        if not 0 <= self.warmup_share <= 1:
            raise UserError(
                f"--warmup-share {self.warmup_share}: must be from 0 to 1", "the paper has 0.06"
            )


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class EvaluateConfig:
    """Score a fine-tuned model on labelled text; the scores go to stdout as JSON."""

    model: Path
    """Model folder of a classifier."""
    data: Path
    """Table with the labels: .tsv, .csv, .jsonl or .parquet, also as .gz or .zst."""
    columns: ColumnsConfig = dataclasses.field(default_factory=ColumnsConfig)
    max_length: int = 512
    """Longer examples are truncated; the model's own limit may be lower."""
    device: Device = "auto"
    """Where to compute."""
    precision: Precision = "auto"
    """bf16 multiplies matrices in bf16; auto: bf16 where it is native."""
