"""What is known of a file of answers: how far it is, what it answers, and what was written."""

import dataclasses
import hashlib
import json
from pathlib import Path
from typing import Any

from unmask.core import config as configs
from unmask.core import files, manifests
from unmask.core.errors import UserError
from unmask.infer.backend import runtimes
from unmask.infer.choice import CHOICE_FILE, chosen
from unmask.infer.config import PredictConfig

ANEW = "--force begins anew, or give another --output"
NO_PART = ("output", "force", "input", "text", "model")
"""Settings that say where things lie; texts and model are known by their hashes."""


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class Progress:
    """How far the answers are, and what they answer."""

    model: str
    """Digest of the model folder."""
    settings: dict[str, Any]
    choice: dict[str, Any] | None = None
    """What `unmask bench --choose` had found when the first answer was written."""
    input: str = ""
    """The sha256 of the texts so far."""
    texts: int = 0
    bytes: int = 0
    tally: dict[str, Any] = dataclasses.field(default_factory=dict)
    sha256: str = ""
    """Of OUTPUT when it is whole, and until then of its answers so far."""


def begun(config: PredictConfig) -> Progress:
    """What is known before the first answer; UserError for a folder that holds no model."""
    runtimes(config.model)
    choice = chosen(config.model) if config.mode == "answer" else None
    return Progress(
        model=_digest(config.model),
        settings=_settings(config),
        choice=None if choice is None else dataclasses.asdict(choice),
    )


def recorded(output: Path, path: Path) -> Progress | None:
    """What is known of an output that is there; of one that was removed, nothing."""
    if not output.exists() or not path.exists():
        return None
    try:
        return Progress(**files.read_json(path))
    except (ValueError, TypeError) as error:
        raise UserError(f"{path}: damaged ({error})", ANEW) from None


def save(path: Path, progress: Progress) -> None:
    """Write it down, whole or not at all."""
    files.write_json(path, dataclasses.asdict(progress))


def refuse_other(output: Path, old: Progress, new: Progress) -> None:
    """UserError for answers of another model, or with other settings."""
    if old.model != new.model:
        raise UserError(f"{output}: holds answers of another model", ANEW)
    if changed := configs.differences(old.settings, new.settings, prefix="--"):
        raise UserError(f"{output}: holds answers with other settings ({changed[0]})", ANEW)


def while_it_grows(output: Path) -> Path:
    """The record of a file of answers that is not whole."""
    return output.with_name(f"{output.name}.progress.json")


def when_done(output: Path) -> Path:
    """The record of a file of answers that is whole."""
    return output.with_name(f"{output.name}.done.json")


def _settings(config: PredictConfig) -> dict[str, Any]:
    settings = {key: value for key, value in configs.plain(config).items() if key not in NO_PART}
    return dict(json.loads(json.dumps(settings)))


def _digest(folder: Path) -> str:
    """The digest of an artifact, or one as it has it, over the files of another folder."""
    if (folder / manifests.NAME).exists():
        return manifests.read(folder).digest
    own = sorted(path for path in folder.iterdir() if path.is_file() and path.name != CHOICE_FILE)
    found = manifests.file_inputs("model", own)
    lines = sorted(f"{item.sha256}  {Path(item.path).name}\n" for item in found)
    return hashlib.sha256("".join(lines).encode()).hexdigest()
