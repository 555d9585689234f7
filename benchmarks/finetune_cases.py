"""What fine-tuning is measured on: tasks, sizes of models, and how a training is set up.

Legend: N examples, T tokens of all of them end to end.
"""

import dataclasses
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Literal

import numpy as np
from pretrain_shapes import Shape, write_weights
from text import SHARED

from unmask.finetune import families
from unmask.finetune.build import start
from unmask.finetune.config import FinetuneConfig
from unmask.model import weights
from unmask.tokenizer import imports
from unmask.train.config import OptimConfig, Precision

TaskName = Literal["sst2", "squad"]
DeviceName = Literal["cpu", "cuda"]
DATA: dict[TaskName, Path] = {
    "sst2": SHARED / "glue",
    "squad": SHARED / "squad" / "squad1.1-dev-partial.json.gz",
}
VOCABULARY = SHARED / "bpe" / "roberta"
SEED = 0
OPTIM = OptimConfig(peak_lr=2e-5, weight_decay=0.1)
WARMUP_SHARE = 0.06
CHECKED = 4
"""Examples whose loss all sides must agree on before they train."""
EXAMPLES = "examples.npz"
"""In the folder of a case: the encoded training examples, for who has not encoded them himself."""

SHAPES = {
    "small": Shape(layers=4, width=256, length=512, vocabulary=50_265, blocks=()),
    "base": Shape(layers=12, width=768, length=512, vocabulary=50_265, blocks=()),
}


@dataclasses.dataclass(frozen=True, slots=True)
class Case:
    """A task learnt by a model of one size."""

    task: TaskName
    shape: str
    batch: int
    """Examples of a step: sentences, or windows of 384 tokens at most."""
    steps: int
    """Updates of a round."""

    def __str__(self) -> str:
        shape = SHAPES[self.shape]
        return f"{self.task}, L={shape.layers} D={shape.width}, batch {self.batch}"


CASES: dict[str, list[Case]] = {
    "cpu": [
        Case("sst2", "small", batch=32, steps=40),
        Case("squad", "small", batch=16, steps=6),
        Case("sst2", "base", batch=32, steps=4),
        Case("squad", "base", batch=16, steps=2),
    ],
    "cuda": [
        Case("sst2", "base", batch=32, steps=200),
        Case("sst2", "base", batch=256, steps=100),
        Case("squad", "base", batch=16, steps=100),
    ],
}


@dataclasses.dataclass(frozen=True, slots=True)
class Work:
    """What a side is given, as words on its command line."""

    task: TaskName
    batch: int
    folder: Path
    """Model folder to start from, with the tokenizer and EXAMPLES."""
    device: DeviceName
    precision: Precision
    steps: int
    """Updates in all, by which the learning rate falls."""

    @classmethod
    def of(cls, words: Sequence[str]) -> "Work":
        """Read the words, which are those of `dataclasses.astuple`."""
        task, batch, folder, device, precision, steps = words
        return cls(task, int(batch), Path(folder), device, precision, int(steps))  # type: ignore[arg-type]

    @property
    def config(self) -> FinetuneConfig:
        """The settings of `unmask finetune`; what is not said here is its default."""
        return FinetuneConfig(
            data=DATA[self.task],
            model=self.folder,
            out=self.folder / "run",
            task=self.task,
            optim=OPTIM,
            steps=self.steps,
            batch=self.batch,
            warmup_share=WARMUP_SHARE,
            seed=SEED,
            device=self.device,
            precision=self.precision,
        )


GoOn = Callable[[int], bool]
"""Called before the first step with 0, and after each with the tokens it has learnt from: whether
there is another one. It may take its time to answer."""


def require_data(cases: list[Case]) -> None:
    """End with a message where a dataset is missing."""
    for path in [VOCABULARY, *(DATA[case.task] for case in cases)]:
        if not path.exists():
            raise SystemExit(
                f"{path}: not there; put the public datasets into {SHARED}, or name their folder "
                "with UNMASK_DATA"
            )


def prepare(work: Work, shape: Shape) -> None:
    """Write what all sides start from: the same weights, head included, and the same examples."""
    tokenizer = imports.read(imports.find(VOCABULARY))
    write_weights(shape, work.folder)
    tokenizer.save(work.folder)
    task = families.learnt(work.config, tokenizer)
    weights.save(start(work.config, task.head, SEED), work.folder)
    sequences = task.train.sequences
    np.savez(
        work.folder / EXAMPLES,
        ids_T=sequences.ids_T,
        starts_N1=sequences.starts_N1,
        targets=task.train.targets,
    )
