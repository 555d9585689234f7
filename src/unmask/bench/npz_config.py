"""Settings of files of inputs and outputs, as runners on other devices take them."""

import dataclasses
from pathlib import Path

from unmask.core.errors import UserError
from unmask.finetune.data_config import (
    ChoicesConfig,
    ColumnsConfig,
    EntitiesConfig,
    WindowsConfig,
)
from unmask.finetune.task_names import LabelOrder, TaskName


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class NpzConfig:
    """Write inputs as .npz files, or run such files through the engine."""

    dump: Path | None = None
    """Folder to write: one NNNNNN.npz a sample with input_ids, attention_mask and token_type_ids
    (int64, 1 x length), and npz_datalist.txt. The samples are the texts of --data, or with
    --npz.task the task's own."""
    source: Path | None = None
    """Folder of such files to run through the engine; outputs go to --out as NNNNNN.npz, output_0
    (and output_1: starts and ends). input_0, input_1 and input_2 are read, too, as ids, types and
    mask."""
    task: TaskName | None = None
    """Labelled data by --data, read and encoded as evaluate does."""
    split: str | None = None
    """Which split of a folder, as evaluate has it."""
    columns: ColumnsConfig = dataclasses.field(default_factory=ColumnsConfig)
    choices: ChoicesConfig = dataclasses.field(default_factory=ChoicesConfig)
    windows: WindowsConfig = dataclasses.field(default_factory=WindowsConfig)
    entities: EntitiesConfig = dataclasses.field(default_factory=EntitiesConfig)
    order: LabelOrder | None = None
    """Order of a model's outputs that have no names, as evaluate has it."""

    def __post_init__(self) -> None:
        if self.dump is not None and self.source is not None:
            raise UserError(
                f"--npz.dump {self.dump} with --npz.source {self.source}: both at once",
                "write the inputs first, then run them",
            )
        if self.dump is None and self.labelled:
            raise UserError(
                "--npz flags of a task without --npz.dump: nothing is encoded",
                "give --npz.dump, or leave them out",
            )

    @property
    def labelled(self) -> bool:
        """Whether a setting of labelled data is given."""
        return any(
            (
                self.task,
                self.split,
                self.order,
                self.columns != ColumnsConfig(),
                self.choices != ChoicesConfig(),
                self.windows != WindowsConfig(),
                self.entities != EntitiesConfig(),
            )
        )

    @property
    def given(self) -> bool:
        """Whether files are written or run, and nothing is measured."""
        return self.dump is not None or self.source is not None
