"""`scores.json` of one step: what each task scored, seed by seed."""

import dataclasses
from pathlib import Path

from unmask.core import files

NAME = "scores.json"


@dataclasses.dataclass(slots=True)
class Entry:
    """One task."""

    metric: str = ""
    """Known as soon as there is a value."""
    values: list[float] = dataclasses.field(default_factory=list)
    """By seed, from 0 on."""
    failed: bool = False
    """A fine-tuning failed, so that there will be no score."""
    told: bool = False
    """Its row is written, or there is none to write."""


@dataclasses.dataclass(slots=True)
class Sheet:
    """The entries of all tasks, kept on disk."""

    folder: Path
    step: int
    model: str
    """Digest of the model folder that is scored."""
    tasks: dict[str, Entry]

    @classmethod
    def read(cls, folder: Path) -> "Sheet | None":
        """Read the sheet of a step's folder; None if none was begun."""
        if not (folder / NAME).exists():
            return None
        found = files.read_json(folder / NAME)
        tasks = {task: Entry(**entry) for task, entry in found["tasks"].items()}
        return cls(folder, found["step"], found["model"], tasks)

    def save(self) -> None:
        """Write it, atomically."""
        tasks = {task: dataclasses.asdict(entry) for task, entry in self.tasks.items()}
        table = {"step": self.step, "model": self.model, "tasks": tasks}
        files.write_json(self.folder / NAME, table)
