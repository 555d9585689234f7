"""What was measured on this machine once, kept in the cache folder."""

import contextlib
import dataclasses
import datetime
import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from unmask.core import files, locations

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

Measured = dict[str, float]


def remembered(kind: str, key: "DataclassInstance", measured: Callable[[], Measured]) -> Measured:
    """What was measured for this key before, on any day; else measure it now."""
    with contextlib.suppress(OSError, ValueError, KeyError, TypeError):
        found = files.read_json(_place(kind, key))["measured"]
        return {name: float(value) for name, value in found.items()}
    values = measured()
    remember(kind, key, values)
    return values


def remember(kind: str, key: "DataclassInstance", measured: Measured) -> None:
    """Keep it; where nothing can be written, it is measured again the next time."""
    place = _place(kind, key)
    made = datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")
    table = {"key": dataclasses.asdict(key), "measured": measured, "made": made}
    with contextlib.suppress(OSError):
        place.parent.mkdir(parents=True, exist_ok=True)
        files.write_json(place, table)


def _place(kind: str, key: "DataclassInstance") -> Path:
    text = json.dumps(dataclasses.astuple(key))
    digest = hashlib.sha256(text.encode()).hexdigest()[:32]
    return locations.cache() / kind / f"{digest}.json"
