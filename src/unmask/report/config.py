"""Settings of `unmask report`."""

import dataclasses
from pathlib import Path
from typing import Annotated

import tyro


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class ReportConfig:
    """Write what a run did as one page: curves, speed, scores, settings.

    Of a fine-tuning also how dev was answered: each class, confusions, calibration, numbers.

    Of several trainings (--many) also what each of them scored.

    The page needs no network and no other file. The run may still be going on.
    """

    run: Annotated[Path, tyro.conf.Positional]
    """Run folder, as `unmask pretrain` or `unmask finetune` writes it."""
    out: Path | None = None
    """The file to write; by default report.html in the run folder."""
