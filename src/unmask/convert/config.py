"""Settings of `unmask convert`."""

import dataclasses
import re
from pathlib import Path

from unmask.core.errors import UserError


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class ConvertConfig:
    """Turn a RoBERTa checkpoint of fairseq into a model folder, or a model folder into one."""

    model: Path
    """What to turn: a checkpoint of fairseq (.pt) or a folder with its model.pt gives a model
    folder; a model folder gives a folder that fairseq loads."""
    out: Path
    """Folder to write."""
    tokenizer: Path | None = None
    """With a checkpoint: folder with encoder.json and vocab.bpe, or any tokenizer of RoBERTa; left
    out: the folder of the checkpoint. A dict.txt beside the checkpoint has the last word on ids."""
    head: str | None = None
    """Of a checkpoint: the classification head to take, or lm_head for the masked language model;
    left out: its only one. Of a model folder: what to call its head; left out:
    sentence_classification_head, as fairseq's tasks do."""
    labels: tuple[str, ...] = ()
    """With a checkpoint's classification head: names of its classes in order; left out: those in
    label/dict.txt beside the checkpoint."""
    force: bool = False
    """Redo the work even if the result is there already."""

    def __post_init__(self) -> None:
        if self.head is not None and not re.fullmatch(r"[\w-]+", self.head):
            raise UserError(f"--head {self.head!r}: no name", "letters, digits, _ and - make one")
        twice = {label for label in self.labels if self.labels.count(label) > 1}
        if twice:
            raise UserError(f"--labels: {min(twice)} comes up again", "name each class once")
