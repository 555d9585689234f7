"""`unmask lineage`: the chain of manifests from an artifact back to the text files."""

import dataclasses
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import tyro

from unmask.core import files, locations, manifests
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
    walk = _Walk()
    for line in walk.below(config.artifact, 0):
        sys.stdout.write(line + "\n")
    if walk.broken:
        raise UserError(
            f"{len(walk.broken)} link(s) do not match, first: {walk.broken[0]}",
            "run the stages below that link again, or bring back the file it was made from",
        )
    say("every link matches")


class _Walk:
    """One walk down the chain; what is reached twice is checked and shown in full once."""

    def __init__(self) -> None:
        self.broken: list[str] = []
        self._seen: set[Path] = set()

    def below(self, folder: Path, depth: int) -> Iterator[str]:
        """Yield the lines of the tree below `folder`, deepest source last."""
        manifest = manifests.read(folder)
        if folder.resolve() in self._seen:
            yield _line(
                depth, f"{manifest.stage}  {folder}", manifest.digest, ok=True, facts="as above"
            )
            return
        self._seen.add(folder.resolve())
        damage = manifests.damaged(folder, manifest)
        self.broken += [f"{folder / path} is not what its manifest says" for path in damage]
        name = f"{manifest.stage}  {folder}"
        yield _line(depth, name, manifest.digest, ok=not damage, facts=_facts(manifest))
        sources = [item for item in manifest.inputs if item.kind != "artifact"]
        yield from self._sources(sources, depth + 1)
        for item in manifest.inputs:
            if item.kind == "artifact":
                yield from self._artifact(folder, item, depth + 1)

    def _artifact(self, folder: Path, item: Input, depth: int) -> Iterator[str]:
        path = locations.follow(folder, item.path)
        if not (path / manifests.NAME).exists():
            self.broken.append(f"{folder} was made from {path}, which is gone")
            yield _line(depth, f"{item.role}  {path} (gone)", item.sha256, ok=False)
            return
        if manifests.read(path).digest != item.sha256:
            self.broken.append(f"{folder} was made from another {path}")
            yield _line(depth, f"{item.role}: was made from other contents", item.sha256, ok=False)
        yield from self.below(path, depth)

    def _sources(self, inputs: list[Input], depth: int) -> Iterator[str]:
        """Check every source, show the first few and all that do not match."""
        hidden: Counter[str] = Counter()
        for number, item in enumerate(inputs):
            ok = item.kind == "stdin" or _is_same(item)
            if not ok:
                self.broken.append(f"{item.path} is gone or has changed")
            if number < FILES_SHOWN or not ok:
                yield _line(depth, f"{item.role}  {item.path or '<stdin>'}", item.sha256, ok=ok)
            else:
                hidden[item.role] += 1
        for role, count in hidden.items():
            yield _line(depth, f"{role}  and {count:,} more", "", ok=True)


def _is_same(item: Input) -> bool:
    """Whether a source is what it was; one in an object store is only looked for."""
    path = locations.location(item.path)
    if locations.is_remote(path):
        return bool(path.exists())
    return path.is_file() and files.sha256(path) == item.sha256


def _facts(manifest: Manifest) -> str:
    counts = [f"{name} {value:,}" for name, value in manifest.facts.items() if type(value) is int]
    return ", ".join(counts[:4])


def _line(depth: int, text: str, digest: str, *, ok: bool, facts: str = "") -> str:
    mark = "ok " if ok else "NOT"
    tail = f"  ({facts})" if facts else ""
    return f"{mark} {digest[:12]:<12} {'  ' * depth}{text}{tail}"
