"""Settings of `unmask pretrain`."""

import dataclasses
from pathlib import Path
from typing import Literal

from unmask.core.errors import UserError
from unmask.core.locations import Location
from unmask.pretrain.masking.config import MaskingConfig
from unmask.tokens.plan_names import SHORTEST, PlanName
from unmask.train.config import Device, OptimConfig, Precision

COUNTS = (
    "batch",
    "micro_batch",
    "steps",
    "log_every",
    "evaluate_every",
    "valid_blocks",
    "checkpoint_every",
    "keep_checkpoints",
)


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class ShapeConfig:
    """The size of the encoder; its vocabulary and special ids come from the tokenizer."""

    layers: int = 12
    """Transformer blocks."""
    width: int = 768
    """Size of the hidden states."""
    heads: int = 12
    """Attention heads; they share the width."""
    feed_forward: int = 3072
    """Width of the feed-forward layers."""
    max_length: int = 512
    """Most tokens the model will ever read at once (its position table)."""
    dropout: float = 0.1
    """Dropout on hidden states."""
    attention_dropout: float = 0.1
    """Dropout on attention weights."""
    init_std: float = 0.02
    """Standard deviation of initial weights."""


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class PretrainConfig:
    """Pretrain an encoder by masked-language modelling."""

    tokens: Location
    """Tokens folder, written by `unmask tokens`."""
    out: Path
    """Run folder; running the same command again continues the run."""
    tokenizer: Path | None = None
    """Tokenizer folder; by default the one the tokens folder was made with."""
    init: Path | None = None
    """Model folder to continue from; by default weights are random."""
    family: Literal["roberta", "bert"] | None = None
    """Architecture family; by default that of --init, or of the tokenizer."""
    model: ShapeConfig = dataclasses.field(default_factory=ShapeConfig)
    masking: MaskingConfig = dataclasses.field(default_factory=MaskingConfig)
    optim: OptimConfig = dataclasses.field(default_factory=OptimConfig)
    plan: PlanName | None = None
    """How documents become blocks; by default as the tokens folder was planned. The pair plans
    train next-sentence prediction, too."""
    length: int | None = None
    """Tokens of a block, special tokens included; by default as the tokens folder was planned."""
    batch: int = 256
    """Blocks of one step; of a plan with short blocks, as many as hold the tokens of so many full
    ones."""
    micro_batch: int = 16
    """Full blocks computed at once; a step accumulates as many as it needs."""
    steps: int = 100_000
    """Optimizer updates in all."""
    warmup_steps: int = 6_000
    """Updates over which the learning rate rises."""
    log_every: int = 50
    """Steps between rows of metrics.jsonl."""
    evaluate_every: int = 1_000
    """Steps between measurements on held-out blocks."""
    valid_blocks: int = 512
    """Held-out blocks measured, at most; of a plan with short blocks, more, as in --batch."""
    checkpoint_every: int = 1_000
    """Steps between checkpoints."""
    keep_checkpoints: int = 2
    """Newest checkpoints that are kept."""
    seed: int = 0
    """Decides initial weights, order, masks and dropout."""
    device: Device = "auto"
    """Where to compute."""
    precision: Precision = "auto"
    """bf16 multiplies matrices in bf16 and keeps weights in fp32; auto: bf16 where it is native."""
    force: bool = False
    """Throw away the run in this folder and start anew."""

    def __post_init__(self) -> None:
        for name in COUNTS:
            if getattr(self, name) < 1:
                flag = name.replace("_", "-")
                raise UserError(f"--{flag} {getattr(self, name)}: too small", "give 1 or more")
        if self.length is not None and self.length < SHORTEST:
            raise UserError(
                f"--length {self.length}: must be at least {SHORTEST}",
                "leave it out to take that of the tokens folder",
            )
        if not 0 <= self.warmup_steps <= self.steps:
            raise UserError(
                f"--warmup-steps {self.warmup_steps}: must be from 0 to --steps ({self.steps})",
                "the paper warms up for 6 % of the steps",
            )
        if self.batch % self.micro_batch:
            raise UserError(
                f"--batch {self.batch} is no multiple of --micro-batch {self.micro_batch}",
                "change one of the two",
            )
