"""`manifest.json`: what an artifact holds, and by hash what it was made from.

An artifact is a folder with a manifest. Its digest is one sha256 over the names and hashes of
its files, so equal contents have equal digests whenever and wherever they were made. Links
between artifacts are stored as relative paths: a tree of artifacts can be moved as a whole.
"""

import dataclasses
import datetime
import hashlib
import os
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from unmask.core import config as configs
from unmask.core import files, machine
from unmask.core.errors import UserError
from unmask.core.progress import bar, say

FORMAT = 1
NAME = "manifest.json"


@dataclasses.dataclass(frozen=True, slots=True)
class Input:
    """One thing an artifact was made from: another artifact (by digest) or a file (by sha256)."""

    role: str
    path: str
    sha256: str
    kind: str
    """artifact: path relative to the folder that holds the manifest; file: absolute path;
    stdin: no path."""


@dataclasses.dataclass(frozen=True, slots=True)
class Output:
    """One file of an artifact, by its path inside the folder."""

    path: str
    bytes: int
    sha256: str


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class Manifest:
    """The contents of a `manifest.json`."""

    stage: str
    config: dict[str, Any]
    inputs: tuple[Input, ...]
    outputs: tuple[Output, ...]
    facts: dict[str, Any]
    """Counts and scores, as the stage reported them."""
    made: str
    machine: dict[str, Any]
    format: int = FORMAT

    @property
    def digest(self) -> str:
        """The identity of the contents: one hash over every file's path and hash."""
        lines = sorted(f"{output.sha256}  {output.path}\n" for output in self.outputs)
        return hashlib.sha256("".join(lines).encode()).hexdigest()


def read(folder: Path) -> Manifest:
    """Read a folder's manifest; UserError if there is none or it cannot be understood."""
    path = folder / NAME
    if not path.exists():
        what = "holds no manifest.json" if folder.is_dir() else "no such folder"
        raise UserError(f"{folder}: {what}", "name a folder that a stage of unmask has written")
    try:
        table = files.read_json(path)
        if table["format"] != FORMAT:
            raise UserError(
                f"{path}: format {table['format']}, this version reads format {FORMAT}",
                "make the artifact again, or install the version of unmask that wrote it",
            )
        table["inputs"] = tuple(Input(**item) for item in table["inputs"])
        table["outputs"] = tuple(Output(**item) for item in table["outputs"])
        return Manifest(**table)
    except (ValueError, KeyError, TypeError) as error:
        raise UserError(f"{path}: damaged ({error})", "make the artifact again") from None


def write(
    folder: Path,
    stage: str,
    config: Mapping[str, Any],
    inputs: Sequence[Input],
    facts: Mapping[str, Any],
) -> Manifest:
    """Hash every file in the folder and write its manifest."""
    paths = [path for path in sorted(folder.rglob("*")) if path.is_file() and path.name != NAME]
    manifest = Manifest(
        stage=stage,
        config=dict(config),
        inputs=tuple(inputs),
        outputs=tuple(
            Output(path.relative_to(folder).as_posix(), path.stat().st_size, files.sha256(path))
            for path in paths
        ),
        facts=dict(facts),
        made=datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        machine=machine.describe(),
    )
    files.write_json(folder / NAME, dataclasses.asdict(manifest))
    return manifest


def artifact_input(role: str, artifact: Path, out: Path) -> Input:
    """Refer to another artifact from the manifest of `out`."""
    link = os.path.relpath(artifact.resolve(), out.resolve())
    return Input(role, Path(link).as_posix(), read(artifact).digest, "artifact")


def file_inputs(role: str, paths: Sequence[Path]) -> list[Input]:
    """Hash source files, with progress."""
    found = []
    with bar("hash inputs", sum(path.stat().st_size for path in paths)) as progress:
        for path in paths:
            found.append(Input(role, str(path.resolve()), files.sha256(path), "file"))
            progress.advance(path.stat().st_size)
    return found


def folder_inputs(role: str, folder: Path, out: Path) -> list[Input]:
    """Refer to a folder: as an artifact if it has a manifest, else by its files."""
    if (folder / NAME).exists():
        return [artifact_input(role, folder, out)]
    return file_inputs(role, sorted(path for path in folder.iterdir() if path.is_file()))


def linked(folder: Path, role: str) -> Path:
    """Find the artifact that `folder` was made from in this role."""
    for item in read(folder).inputs:
        if item.role == role and item.kind == "artifact":
            return folder / item.path
    raise UserError(f"{folder}: its manifest names no {role}", "name the folder by a flag")


def damaged(folder: Path, manifest: Manifest) -> list[str]:
    """List the files that are missing or whose bytes are not what the manifest says."""
    return [
        output.path
        for output in manifest.outputs
        if not (path := folder / output.path).is_file()
        or path.stat().st_size != output.bytes
        or files.sha256(path) != output.sha256
    ]


def is_done(
    out: Path, stage: str, config: Mapping[str, Any], inputs: Sequence[Input], *, force: bool
) -> bool:
    """True when `out` already holds this stage's result for this config and these inputs.

    A result of something else is never overwritten unasked: that is a UserError.
    """
    if force or not out.exists() or (out.is_dir() and not any(out.iterdir())):
        return False
    if not (out / NAME).exists():
        raise UserError(f"{out}: exists and is no artifact of unmask", "use another --out")
    manifest = read(out)
    changed = _changes(manifest, stage, config, inputs)
    if changed:
        raise UserError(
            f"{out}: holds another result ({changed})", "--force to redo it, or another --out"
        )
    broken = damaged(out, manifest)
    if broken:
        say(f"{out}: {broken[0]} is damaged, so {stage} is done again")
        return False
    say(f"{out}: done already (same config, same inputs, hashes match); --force redoes it")
    return True


@contextmanager
def building(out: Path) -> Iterator[Path]:
    """Yield a folder beside `out` to fill; it takes the place of `out` only if all went well."""
    beside = out.with_name(f".{out.name}.building")
    old = out.with_name(f".{out.name}.replaced")
    if out.exists() and any(out.iterdir()) and not (out / NAME).exists():
        raise UserError(f"{out}: exists and is no artifact of unmask", "use another --out")
    shutil.rmtree(beside, ignore_errors=True)
    beside.mkdir(parents=True)
    try:
        yield beside
        if out.exists():
            out.replace(old)
        beside.replace(out)
    finally:
        shutil.rmtree(beside, ignore_errors=True)
        shutil.rmtree(old, ignore_errors=True)


def _changes(
    manifest: Manifest, stage: str, config: Mapping[str, Any], inputs: Sequence[Input]
) -> str:
    if manifest.stage != stage:
        return f"of the stage {manifest.stage}"
    changed = configs.differences(manifest.config, config)
    if changed:
        return changed[0]
    before = {(item.role, item.path): item.sha256 for item in manifest.inputs}
    after = {(item.role, item.path): item.sha256 for item in inputs}
    for role, path in sorted(before.keys() | after.keys()):
        if before.get((role, path)) != after.get((role, path)):
            return f"the {role} {path} is another"
    return ""
