"""Whose samples are written for runners on other devices."""

import dataclasses

from unmask.finetune.data_config import (
    ChoicesConfig,
    ColumnsConfig,
    EntitiesConfig,
    WindowsConfig,
)
from unmask.finetune.task_names import LabelOrder, TaskName


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class NpzConfig:
    """A task's own examples as samples, instead of the texts of a file."""

    task: TaskName | None = None
    """--dump: labelled data by --data, read and encoded as evaluate does."""
    split: str | None = None
    """Which split of a folder, as evaluate has it."""
    columns: ColumnsConfig = dataclasses.field(default_factory=ColumnsConfig)
    choices: ChoicesConfig = dataclasses.field(default_factory=ChoicesConfig)
    windows: WindowsConfig = dataclasses.field(default_factory=WindowsConfig)
    entities: EntitiesConfig = dataclasses.field(default_factory=EntitiesConfig)
    order: LabelOrder | None = None
    """Order of a model's outputs that have no names, as evaluate has it."""

    @property
    def labelled(self) -> bool:
        """Whether a setting of labelled data is given."""
        return self != NpzConfig()
