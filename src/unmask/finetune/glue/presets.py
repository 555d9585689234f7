"""Settings with which GLUE was fine-tuned: by the paper, and by fairseq."""

import dataclasses

from unmask.core.errors import UserError
from unmask.finetune.glue.tasks import Task


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Grid:
    """Settings of which each task takes what is best on dev (RoBERTa, table 10 and section 5.1)."""

    peak_lrs: tuple[float, ...] = (1e-5, 2e-5, 3e-5)
    batches: tuple[int, ...] = (16, 32)
    epochs: int = 10
    warmup_share: float = 0.06
    weight_decay: float = 0.1
    seeds: int = 5
    """The median of so many runs is reported."""

    def choices(self) -> list[tuple[float, int]]:
        """List every peak learning rate with every batch."""
        return [(peak_lr, batch) for peak_lr in self.peak_lrs for batch in self.batches]


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """One run as fairseq has it: examples/roberta/config/finetuning."""

    outputs: int
    """Classes, or 1 for a number."""
    peak_lr: float
    batch: int
    warmup: int
    """Updates over which the learning rate rises."""
    updates: int
    """Updates at which it would be back at 0."""
    epochs: int = 10
    weight_decay: float = 0.1
    dropout: float = 0.1


PAPER = Grid()

START_FROM_MNLI = ("rte", "mrpc", "stsb")
"""Tasks whose test predictions the paper made with models that were fine-tuned on MNLI first; its
scores on dev begin at the pretrained model (RoBERTa, section 5.1)."""

_FAIRSEQ = {
    "mnli": Recipe(outputs=3, peak_lr=1e-5, batch=32, warmup=7432, updates=123873),
    "qnli": Recipe(outputs=2, peak_lr=1e-5, batch=32, warmup=1986, updates=33112),
    "qqp": Recipe(outputs=2, peak_lr=1e-5, batch=32, warmup=28318, updates=113272),
    "rte": Recipe(outputs=2, peak_lr=2e-5, batch=16, warmup=122, updates=2036),
    "sst2": Recipe(outputs=2, peak_lr=1e-5, batch=32, warmup=1256, updates=20935),
    "mrpc": Recipe(outputs=2, peak_lr=1e-5, batch=16, warmup=137, updates=2296),
    "cola": Recipe(outputs=2, peak_lr=1e-5, batch=16, warmup=320, updates=5336),
    "stsb": Recipe(outputs=1, peak_lr=2e-5, batch=16, warmup=214, updates=3598),
}


def fairseq(task: Task) -> Recipe:
    """Give fairseq's settings of a task; UserError for WNLI, which it treats as WSC."""
    if task.name not in _FAIRSEQ:
        raise UserError(
            f"{task.name}: fairseq has no settings for it", "take the paper's, or those of rte"
        )
    return _FAIRSEQ[task.name]
