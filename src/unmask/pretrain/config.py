"""Settings of `unmask pretrain`."""

import dataclasses
import math
from pathlib import Path
from typing import Literal

from unmask.core.errors import UserError
from unmask.core.locations import Location
from unmask.pretrain.masking.config import MaskingConfig
from unmask.tokens.plan_names import SHORTEST, PlanName
from unmask.train.config import (
    Device,
    GuardConfig,
    OptimConfig,
    ParallelConfig,
    Precision,
    ScheduleConfig,
    TrackConfig,
)

STEPS = 100_000
"""Of a run that says neither --steps nor --budget-hours."""
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
class ScoresConfig:
    """Tasks that checkpoints are fine-tuned on along the way, each in a process of its own."""

    tasks: tuple[Path, ...] = ()
    """Folders with train.* and dev.*, as `unmask finetune --data` reads them; one may hold a
    finetune.toml, too: a recipe of what only this task has, such as its columns and metric."""
    every: int = 5_000
    """Steps between scores; the last step is scored, too."""
    seeds: int = 3
    """Fine-tunings of each task; their mean is the score."""
    recipe: Path | None = None
    """Recipe of `unmask finetune` for all of them; by default its defaults."""

    def __post_init__(self) -> None:
        for name in ("every", "seeds"):
            if (value := getattr(self, name)) < 1:
                raise UserError(f"--scores.{name} {value}: too small", "give 1 or more")


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
    schedule: ScheduleConfig = dataclasses.field(default_factory=ScheduleConfig)
    guard: GuardConfig = dataclasses.field(default_factory=GuardConfig)
    parallel: ParallelConfig = dataclasses.field(default_factory=ParallelConfig)
    scores: ScoresConfig = dataclasses.field(default_factory=ScoresConfig)
    track: TrackConfig = dataclasses.field(default_factory=TrackConfig)
    plan: PlanName | None = None
    """How documents become blocks; by default as the tokens folder was planned. The pair plans
    train next-sentence prediction, too."""
    length: int | None = None
    """Tokens of a block, special tokens included; by default as the tokens folder was planned."""
    batch: int = 256
    """Blocks of one step; of a plan with short blocks, as many as hold the tokens of so many full
    ones."""
    micro_batch: int = 16
    """Full blocks that a process computes at once; a step accumulates as many as it needs."""
    batch_start: int | None = None
    """Blocks of the first step, where the batch grows to --batch over --batch-warmup-steps."""
    batch_warmup_steps: int = 0
    """Steps over which the batch grows."""
    steps: int | None = None
    """Optimizer updates in all; by default 100,000, unless --budget-hours says when to stop."""
    warmup_steps: int | None = None
    """Updates over which the learning rate rises; by default 6 % of all."""
    budget_hours: float | None = None
    """Train for so long instead of for --steps: the rate reaches its end at the deadline, by the
    speed as it is measured. Time when the run was stopped does not count."""
    log_every: int = 50
    """Steps between rows of metrics.jsonl."""
    evaluate_every: int = 1_000
    """Steps between measurements on held-out blocks."""
    valid_blocks: int = 512
    """Held-out blocks measured, at most; of a plan with short blocks, more, as in --batch."""
    checkpoint_every: int = 1_000
    """Steps between checkpoints."""
    keep_checkpoints: int = 2
    """Newest checkpoints that are kept; the one with the best held-out loss is kept beside them."""
    seed: int = 0
    """Decides initial weights, order, masks and dropout."""
    device: Device = "auto"
    """Where to compute."""
    precision: Precision = "auto"
    """bf16 and fp16 multiply matrices in them and keep weights in fp32; fp16 scales the loss. auto:
    bf16 where it is native, else fp16 on a card, else fp32."""
    compile: Literal["auto", "on", "off"] = "auto"
    """Compile the step with torch.compile; auto: where it was measured to be faster on this
    machine, for this shape."""
    recompute: bool = False
    """Keep no activations within a block and compute them again in the backward pass: less memory,
    a third more work."""
    verify_resume: bool = False
    """Train nothing for good: prove on this machine that saving and starting anew gives the same
    next 20 steps, bit for bit."""
    force: bool = False
    """Throw away the run in this folder and start anew."""

    def __post_init__(self) -> None:
        for name in COUNTS:
            if (value := getattr(self, name)) is not None and value < 1:
                raise UserError(f"--{name.replace('_', '-')} {value}: too small", "give 1 or more")
        if self.length is not None and self.length < SHORTEST:
            raise UserError(
                f"--length {self.length}: must be at least {SHORTEST}",
                "leave it out to take that of the tokens folder",
            )
        if self.batch % self.micro_batch:
            raise UserError(
                f"--batch {self.batch} is no multiple of --micro-batch {self.micro_batch}",
                "change one of the two",
            )
        _refuse_length_of_run(self)
        _refuse_growth(self)


def _refuse_length_of_run(config: PretrainConfig) -> None:
    if config.budget_hours is not None:
        if config.steps is not None:
            raise UserError(
                f"--steps {config.steps} and --budget-hours {config.budget_hours:g}: both say when "
                "to stop",
                "leave out one of the two",
            )
        if config.budget_hours <= 0:
            raise UserError(f"--budget-hours {config.budget_hours:g}: must be positive", "try 24")
    most = math.inf if config.budget_hours is not None else (config.steps or STEPS)
    if config.warmup_steps is not None and not 0 <= config.warmup_steps <= most:
        raise UserError(
            f"--warmup-steps {config.warmup_steps}: must be from 0 to --steps ({most})",
            "the paper warms up for 6 % of the steps",
        )


def _refuse_growth(config: PretrainConfig) -> None:
    start, over = config.batch_start, config.batch_warmup_steps
    if (start is None) != (over == 0):
        raise UserError(
            f"--batch-start {start} and --batch-warmup-steps {over}: one needs the other",
            "give both, or neither",
        )
    if over < 0 or (start is not None and not 1 <= start <= config.batch):
        raise UserError(
            f"--batch-start {start} and --batch-warmup-steps {over}: the batch grows from 1 or "
            f"more blocks to --batch ({config.batch})",
            "give a smaller --batch-start",
        )
