"""Data in one file: a fifth of its groups is dev.

Legend: N examples.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import TypeVar

from unmask.core.errors import UserError
from unmask.core.hashing import stream
from unmask.core.progress import say

T = TypeVar("T")

ONE_IN = 5


def split(items: Sequence[T], groups_N: Sequence[str], path: Path) -> tuple[list[T], list[T]]:
    """Part examples into train and dev by a hash of their group, so that no group is in both.

    An example of no group (an empty name) is for training. UserError where one side stays empty.
    """
    held = {group: _is_held(group) for group in set(groups_N)}
    pairs = list(zip(items, groups_N, strict=True))
    train = [item for item, group in pairs if not held[group]]
    dev = [item for item, group in pairs if held[group]]
    if not train or not dev:
        raise UserError(
            f"{path}: its {len(held)} groups are too few to hold some out for dev",
            "give a folder with a train and a dev file",
        )
    say(f"{path}: {len(train):,} examples to train and {len(dev):,} for dev, of groups apart")
    return train, dev


def part(items: Sequence[T], groups_N: Sequence[str], path: Path, wanted: str) -> list[T]:
    """Give `train`, `dev` or `all` of them."""
    if wanted == "all":
        return list(items)
    train, dev = split(items, groups_N, path)
    if wanted not in ("train", "dev"):
        raise UserError(f"--split {wanted}: {path} is one file", "train, dev or all")
    return train if wanted == "train" else dev


def _is_held(group: str) -> bool:
    return bool(group) and stream(f"held out {group}") % ONE_IN == 0
