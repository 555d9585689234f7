"""Folders written by `save_to_disk` of Hugging Face datasets: which of their files are data.

A saved `Dataset` lists its .arrow files in state.json; what else lies there is the cache of earlier
calls. A saved `DatasetDict` has one such folder for each split, listed in dataset_dict.json.
"""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from unmask.core.errors import UserError
from unmask.core.progress import say

DICT, STATE, INFO = "dataset_dict.json", "state.json", "dataset_info.json"
TRAIN = "train"


def data(paths: Iterable[Path]) -> set[Path]:
    """Leave out of a folder's files those that are no data, and of a `DatasetDict` all but train.

    Files that belong to no saved dataset all stay. UserError for a dataset without the split train,
    and for one whose files are not all there.
    """
    kept = set(paths)
    for path in _named(DICT, kept):
        kept -= _other_splits(path, kept)
    for path in _named(STATE, kept):
        if path.with_name(INFO) in kept:
            kept -= _unlisted(path, kept)
    return kept


def _named(name: str, paths: Iterable[Path]) -> list[Path]:
    return sorted((path for path in paths if path.name == name), key=str)


def _other_splits(described: Path, paths: set[Path]) -> set[Path]:
    folder, splits = described.parent, _json(described).get("splits", [])
    if TRAIN not in splits:
        raise UserError(
            f"{folder}: a saved DatasetDict without the split {TRAIN}; it has {', '.join(splits)}",
            f"name the folder of the split to read, such as {folder}/{(splits or ['test'])[0]}",
        )
    others = [split for split in splits if split != TRAIN]
    if others:
        say(f"{folder}: of this DatasetDict {TRAIN} is read; left out: {', '.join(others)}")
    left_out = {folder / split for split in others}
    return {path for path in paths if path == described or not left_out.isdisjoint(path.parents)}


def _unlisted(state: Path, paths: set[Path]) -> set[Path]:
    listed = {state.with_name(entry["filename"]) for entry in _json(state).get("_data_files", [])}
    missing = sorted(str(path) for path in listed - paths)
    if missing:
        raise UserError(
            f"{missing[0]}: missing, though {STATE} lists it", "copy or save the dataset again"
        )
    cached = {path for path in paths if path.parent == state.parent and path.suffix == ".arrow"}
    return (cached - listed) | {state, state.with_name(INFO)}


def _json(path: Path) -> Any:  # noqa: ANN401 (what datasets wrote)
    try:
        found = json.loads(path.read_bytes())
    except ValueError as error:
        raise UserError(f"{path}: not valid JSON ({error})", "save the dataset again") from None
    return found if isinstance(found, dict) else {}
