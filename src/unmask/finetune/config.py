"""Settings of `unmask finetune` and `unmask evaluate`."""

import dataclasses
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Self

from unmask.core.errors import UserError
from unmask.finetune.data_config import (
    ChoicesConfig,
    ColumnsConfig,
    EntitiesConfig,
    WindowsConfig,
)
from unmask.finetune.task_names import (
    ENTITIES,
    QUESTIONS,
    SENTENCES,
    GlueName,
    LabelOrder,
    TaskName,
)
from unmask.train.config import Device, OptimConfig, ParallelConfig, Precision, TrackConfig

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

LEAST = 8
"""Tokens that hold two texts and their special tokens, if hardly."""


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class FinetuneConfig:
    """Fine-tune a model on a task; what scores best on dev is kept."""

    data: Path
    """Folder of the task's files, as they are published; for --task table train.* and dev.*."""
    model: Path
    """Model folder to start from."""
    out: Path
    """Run folder."""
    task: TaskName = "table"
    """What is learnt: a table of your own, a task of GLUE, questions about contexts (squad, squad2,
    cmrc), multiple choice (race..., choices is a table of your own), or entities (ner)."""
    weights: Literal["pretrained", "random"] = "pretrained"
    """random keeps the architecture and the tokenizer only, to measure what pretraining brings."""
    init_from: Path | None = None
    """Fine-tuned model of another task whose encoder to start from, such as one of MNLI for RTE,
    MRPC and STS-B (RoBERTa, section 5.1); of the sizes and the tokenizer of --model."""
    columns: ColumnsConfig = dataclasses.field(default_factory=ColumnsConfig)
    choices: ChoicesConfig = dataclasses.field(default_factory=ChoicesConfig)
    windows: WindowsConfig = dataclasses.field(default_factory=WindowsConfig)
    entities: EntitiesConfig = dataclasses.field(default_factory=EntitiesConfig)
    optim: OptimConfig = dataclasses.field(
        default_factory=lambda: OptimConfig(peak_lr=2e-5, weight_decay=0.1)
    )
    parallel: ParallelConfig = dataclasses.field(default_factory=ParallelConfig)
    track: TrackConfig = dataclasses.field(default_factory=TrackConfig)
    metric: str | None = None
    """Score on dev by which the best moment is chosen; by default that of the paper."""
    class_weights: Literal["none", "balanced"] = "none"
    """balanced: rare classes count more, all classes the same in sum."""
    epochs: float = 10.0
    """Passes over the training data."""
    steps: int | None = None
    """Updates, instead of --epochs."""
    batch: int = 32
    """Examples of one step."""
    micro_tokens: int | None = None
    """Tokens computed at once; what a step has more is computed one part after the other. By
    default 2,048 on a processor, whose cache holds little more, and 16,384 on a card."""
    warmup_share: float = 0.06
    """Share of the steps over which the learning rate rises."""
    warmup_steps: int | None = None
    """Steps over which it rises, instead of --warmup-share."""
    layer_decay: float = 1.0
    """Each layer learns at so much of the rate of the one above it; 1: all at the same."""
    frozen_layers: int | None = None
    """Layers from the bottom that stay as they are, the embedding, too; 0: the embedding alone."""
    dropout: float | None = None
    """Dropout on hidden states and attention; by default as the model was pretrained."""
    max_length: int | None = None
    """Longer sequences are truncated, or cut into windows; by default 512, 384 for questions; the
    model's own limit may be lower."""
    evaluate_every: int | None = None
    """Steps between two looks at dev; by default once an epoch."""
    patience: int | None = None
    """So many looks at dev without a better score end the training; by default it goes to the
    end."""
    restarts: int = 2
    """A training that after half its time still gives one answer to everything begins anew with
    another seed, at most so often."""
    log_every: int = 50
    """Steps between two rows of metrics.jsonl."""
    seed: int = 0
    """Decides the head's initial weights, the order and dropout."""
    seeds: int = 1
    """Train with so many seeds, from --seed on; reported are median, spread and a confidence
    interval, and the model of the median is the result."""
    folds: int = 1
    """Split the training table into so many folds, and train as often with another one as dev."""
    fold: int | None = None
    """Of --folds: the one that is dev; set for each of them by the command itself."""
    sweep: bool = False
    """Try the paper's grid, peak rates 1e-5, 2e-5 and 3e-5 with batches of 16 and 32 (RoBERTa,
    table 10); what is best on dev is the result."""
    sweep_lr: tuple[float, ...] = ()
    """Peak learning rates to try, instead of the paper's."""
    sweep_batch: tuple[int, ...] = ()
    """Batches to try, instead of the paper's."""
    at_once: int = 1
    """Trainings side by side; they share the processor's cores, and each has a card of its own."""
    device: Device = "auto"
    """Where to compute."""
    precision: Precision = "auto"
    """bf16 multiplies matrices in bf16 and keeps weights in fp32; auto: bf16 where it is native."""
    force: bool = False
    """Throw away the run in this folder and start anew."""

    def __post_init__(self) -> None:
        counts = ("steps", "batch", "log_every", "evaluate_every", "patience")
        _refuse_below(self, 1, *counts, "seeds", "folds", "at_once")
        _refuse_below(self, 0, "warmup_steps", "frozen_layers", "restarts")
        _refuse_below(self, LEAST, "max_length", "micro_tokens")
        for name, fits, hint in (
            ("epochs", self.epochs > 0, "must be positive; the paper has 10"),
            ("dropout", 0 <= (self.dropout or 0) < 1, "must be in [0, 1); the paper has 0.1"),
            ("warmup_share", 0 <= self.warmup_share <= 1, "from 0 to 1; the paper has 0.06"),
            ("layer_decay", 0 < self.layer_decay <= 1, "above 0, at most 1; try 0.9"),
        ):
            if not fits:
                raise UserError(f"{_flag(name)} {getattr(self, name):g}: out of range", hint)
        self._refuse_at_odds()
        refuse_unread(self, self.task)

    def _refuse_at_odds(self) -> None:
        """Settings that contradict one another, or of which one would be ignored."""
        if self.init_from is not None and self.weights == "random":
            raise UserError(
                f"--init-from {self.init_from} with --weights random: its weights would not be "
                "used",
                "give one of them",
            )
        several = max(self.seeds, self.folds, len(self.sweep_lr), len(self.sweep_batch)) > 1
        if self.at_once > 1 and not (several or self.sweep):
            raise UserError(
                f"--at-once {self.at_once}: there is one training",
                "give --seeds, --folds or --sweep, too",
            )
        if self.fold is not None and not 0 <= self.fold < self.folds:
            raise UserError(
                f"--fold {self.fold}: there are {self.folds}",
                "give --folds alone, and the command runs all of them",
            )
        if self.folds > 1 and self.seeds > 1:
            raise UserError(
                f"--folds {self.folds} with --seeds {self.seeds}: too many ways to vary",
                "give one of them",
            )
        if self.folds > 1 and self.task != "table":
            raise UserError(
                f"--folds {self.folds}: --task {self.task} has a dev set of its own",
                "give --task table, or leave it out",
            )
        if self.class_weights != "none" and (
            self.task not in SENTENCES or self.task == "stsb" or self.columns.target != "class"
        ):
            raise UserError(
                f"--class-weights {self.class_weights}: what --task {self.task} learns is not one "
                "class an example",
                "leave it out",
            )


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class ReadingConfig:
    """A fine-tuned model, and how the data of its task are read."""

    model: Path
    """Model folder of a fine-tuned model, or its export."""
    task: TaskName | None = None
    """What the data are; by default what the model was fine-tuned on."""
    columns: ColumnsConfig = dataclasses.field(default_factory=ColumnsConfig)
    choices: ChoicesConfig = dataclasses.field(default_factory=ChoicesConfig)
    windows: WindowsConfig = dataclasses.field(default_factory=WindowsConfig)
    entities: EntitiesConfig = dataclasses.field(default_factory=EntitiesConfig)
    order: LabelOrder | None = None
    """Order of the outputs of a model of GLUE that have no names (LABEL_0...): glue, as run_glue of
    transformers trains, or fairseq."""
    max_length: int | None = None
    """Longer sequences are truncated, or cut into windows; by default as in fine-tuning."""


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class JudgedConfig(ReadingConfig):
    """Labelled data, and the model that is scored on them."""

    data: Path
    """Labelled file, or the folder of a task, whose dev is scored (or --split)."""
    split: str | None = None
    """Which split of a folder is scored, by default dev; of a single file, all of it or, as in
    fine-tuning, train or dev."""

    @classmethod
    def of(cls, settings: "DataclassInstance", **others: Any) -> Self:  # noqa: ANN401
        """Take from settings of another command all that these have, too; the others go first."""
        own = {one.name for one in dataclasses.fields(cls)}
        theirs = {one.name for one in dataclasses.fields(settings)}
        return cls(**{name: getattr(settings, name) for name in own & theirs} | others)


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class SubmitConfig:
    """Predict a test set of GLUE and write the files that its server takes."""

    model: Path
    """Model folder of a model that was fine-tuned on the task."""
    task: GlueName
    """Task of GLUE."""
    data: Path
    """Folder of the task, with its test file."""
    out: Path
    """Folder of the submission; the files of other tasks in it are packed, too."""
    order: LabelOrder | None = None
    """Order of a model's outputs that have no names (LABEL_0...): glue, as run_glue of transformers
    trains, or fairseq."""
    device: Device = "auto"
    """Where to compute."""
    precision: Precision = "auto"
    """bf16 multiplies matrices in bf16; auto: bf16 where it is native."""


def refuse_unread(config: FinetuneConfig | JudgedConfig, task: str) -> None:
    """UserError for settings of another family of tasks, which would be ignored."""
    for given, flags, tasks in (
        (config.columns != ColumnsConfig(), "--columns", ("table",)),
        (config.choices != ChoicesConfig(), "--choices", ("choices",)),
        (config.windows != WindowsConfig(), "--windows", QUESTIONS),
        (config.entities != EntitiesConfig(), "--entities", ENTITIES),
    ):
        if given and task not in tasks:
            raise UserError(
                f"{flags} flags with --task {task}: they are for {', '.join(tasks)}",
                "leave them out",
            )


def _refuse_below(config: FinetuneConfig, least: int, *names: str) -> None:
    for name in names:
        if (value := getattr(config, name)) is not None and value < least:
            raise UserError(f"{_flag(name)} {value}: too small", f"give {least} or more")


def _flag(name: str) -> str:
    return f"--{name.replace('_', '-')}"
