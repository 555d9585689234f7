"""What a model folder says of itself: its head, its labels, and what was settled in fine-tuning."""

import dataclasses
from pathlib import Path

from unmask.core import manifests
from unmask.core.errors import UserError
from unmask.finetune.task import Facts
from unmask.model import weights
from unmask.model.heads import MaskedLM, Model, SequenceClassifier
from unmask.model.problem import Problem


@dataclasses.dataclass(frozen=True, slots=True)
class Known:
    """A fine-tuned model, before its weights are read."""

    folder: Path
    kind: type[Model]
    labels: tuple[str, ...]
    problem: Problem | None
    """What a sequence classifier tells; None for other heads."""
    facts: Facts
    """Of its manifest; none for a folder that unmask has not made."""

    @classmethod
    def of(cls, folder: Path) -> "Known":
        """Look into a model folder."""
        kind = weights.head_of(folder)
        problem = weights.problem_of(folder) if kind is SequenceClassifier else None
        return cls(folder, kind, weights.labels_of(folder), problem, _facts(folder))

    def require(self, kind: type[Model], task: str) -> None:
        """UserError for a head that does not fit a task."""
        if self.kind is not kind:
            raise UserError(
                f"a head that does not fit the task: {self.folder} is a {self.kind.__name__}, "
                f"{task} needs a {kind.__name__}",
                "give a model that was fine-tuned on it"
                if self.kind is MaskedLM
                else "name the --task that it was fine-tuned on, or give another model",
            )


def _facts(folder: Path) -> Facts:
    return manifests.read(folder).facts if (folder / manifests.NAME).exists() else {}
