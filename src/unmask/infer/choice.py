"""What `unmask bench --choose` found fastest for a model on this machine."""

import dataclasses
from pathlib import Path
from typing import Any, get_args

from unmask.core import files, machine
from unmask.core.errors import UserError
from unmask.infer.engine_config import Runtime

CHOICE_FILE = "choice.json"
FORMAT = 1


@dataclasses.dataclass(frozen=True, slots=True)
class Setting:
    """How to run a model."""

    runtime: Runtime
    streams: int
    """Batches computed at once."""
    batch_tokens: int
    """Tokens of a batch, padding counted."""


@dataclasses.dataclass(frozen=True, slots=True)
class Choice:
    """What was fastest, by what is asked for."""

    many: Setting
    """Batches come in plenty: the most sentences a second."""
    single: Setting
    """Somebody waits for the answer to one text: the shortest median latency."""


def fingerprint() -> dict[str, Any]:
    """What a choice depends on: the processor, the cores this process may use, instructions."""
    facts = machine.describe()
    return {name: facts[name] for name in ("cpu", "cores", "instruction_sets")}


def chosen(folder: Path, threads: int | None = None) -> Choice | None:
    """Read a model or export folder's choice; None where there is none of this machine.

    With `threads`, none that was made with another number of them, either. UserError for a file
    that is damaged, or of a version that this one does not read.
    """
    path = folder / CHOICE_FILE
    if not path.exists():
        return None
    again = "run unmask bench --choose again, or delete it"
    try:
        stored = files.read_json(path)
        if stored["format"] != FORMAT:
            raise UserError(
                f"{path}: format {stored['format']}, this version reads format {FORMAT}", again
            )
        found = Choice(_setting(stored["many"]), _setting(stored["single"]))
        made_on, made_with = stored["machine"], stored["threads"]
    except (ValueError, KeyError, TypeError) as error:
        raise UserError(f"{path}: damaged ({error!r})", again) from None
    if made_on != fingerprint() or threads not in (None, made_with):
        return None
    return found


def _setting(stored: dict[str, Any]) -> Setting:
    counts = (stored["streams"], stored["batch_tokens"])
    if not all(isinstance(count, int) and count >= 1 for count in counts):
        raise ValueError(stored)
    if stored["runtime"] not in get_args(Runtime):
        raise ValueError(stored)
    return Setting(**stored)
