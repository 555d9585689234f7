"""`unmask lineage`: the chain of manifests from an artifact back to the text files."""

import dataclasses
import os
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import tyro

from unmask.core import files, manifests
from unmask.core.errors import UserError
from unmask.core.manifests import Input, Manifest
from unmask.core.progress import say

FILES_SHOWN = 5


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class LineageConfig:
    """Print what an artifact was made from, down to the text, and check every link."""

    artifact: Annotated[Path, tyro.conf.Positional]
    """Any folder that a stage wrote."""


def run(config: LineageConfig) -> None:
    """Print the chain to stdout; UserError names the first link that does not match."""
    broken: list[str] = []
    for line in chain(config.artifact, broken):
        sys.stdout.write(line + "\n")
    if broken:
        raise UserError(
            f"{len(broken)} link(s) do not match, first: {broken[0]}",
            "run the stages below that link again, or bring back the file it was made from",
        )
    say("every link matches")


def chain(folder: Path, broken: list[str], depth: int = 0) -> Iterator[str]:
    """Yield the lines of the tree below `folder`, deepest source last; collect broken links."""
    manifest = manifests.read(folder)
    damage = manifests.damaged(folder, manifest)
    broken += [f"{folder / path} is not what its manifest says" for path in damage]
    yield _line(depth, f"{manifest.stage}  {folder}", manifest.digest, not damage, _facts(manifest))
    inputs = [item for item in manifest.inputs if item.kind != "artifact"]
    yield from _sources(inputs, broken, depth + 1)
    for item in manifest.inputs:
        if item.kind == "artifact":
            yield from _artifact(folder, item, broken, depth + 1)


def _artifact(folder: Path, item: Input, broken: list[str], depth: int) -> Iterator[str]:
    path = Path(os.path.normpath(folder / item.path))
    if not (path / manifests.NAME).exists():
        broken.append(f"{folder} was made from {path}, which is gone")
        yield _line(depth, f"{item.role}  {path} (gone)", item.sha256, ok=False)
        return
    if manifests.read(path).digest != item.sha256:
        broken.append(f"{folder} was made from another {path}")
        yield _line(depth, f"{item.role}: was made from other contents", item.sha256, ok=False)
    yield from chain(path, broken, depth)


def _sources(inputs: list[Input], broken: list[str], depth: int) -> Iterator[str]:
    """Check every source, show the first few and all that do not match."""
    hidden: Counter[str] = Counter()
    for number, item in enumerate(inputs):
        ok = item.kind == "stdin" or (
            Path(item.path).is_file() and files.sha256(Path(item.path)) == item.sha256
        )
        if not ok:
            broken.append(f"{item.path} is gone or has changed")
        if number < FILES_SHOWN or not ok:
            yield _line(depth, f"{item.role}  {item.path or '<stdin>'}", item.sha256, ok)
        else:
            hidden[item.role] += 1
    for role, count in hidden.items():
        yield _line(depth, f"{role}  and {count:,} more", "", ok=True)


def _facts(manifest: Manifest) -> str:
    counts = [f"{name} {value:,}" for name, value in manifest.facts.items() if type(value) is int]
    return ", ".join(counts[:4])


def _line(depth: int, text: str, digest: str, ok: bool, facts: str = "") -> str:  # noqa: FBT001
    mark = "ok " if ok else "NOT"
    tail = f"  ({facts})" if facts else ""
    return f"{mark} {digest[:12]:<12} {'  ' * depth}{text}{tail}"
