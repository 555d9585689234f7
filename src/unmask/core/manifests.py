"""`manifest.json`: what an artifact holds, and by hash what it was made from.

An artifact is a folder with a manifest. Its digest is one sha256 over the names and hashes of
its files, so equal contents have equal digests whenever and wherever they were made. Links
between artifacts are stored as relative paths: a tree of artifacts can be moved as a whole.
"""

import dataclasses
import datetime
import hashlib
import json
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from unmask.core import config as configs
from unmask.core import files, locations, locks, machine
from unmask.core.errors import UserError
from unmask.core.progress import bar, say

FORMAT = 1
NAME = "manifest.json"
WORK = "work"
"""The folder inside one that is being built for what is not part of the result."""

_IDENTITY = "identity"


@dataclasses.dataclass(frozen=True, slots=True)
class Input:
    """One thing an artifact was made from: another artifact (by digest) or a file (by sha256)."""

    role: str
    path: str
    sha256: str
    kind: str
    """artifact: path relative to the folder that holds the manifest, or a URL; file: absolute
    path, or a URL; stdin: no path."""


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
    *,
    hashed: Sequence[Output] = (),
) -> Manifest:
    """Hash every file in the folder and write its manifest; the folder `work` is thrown away.

    `hashed` names files whose hashes are known, so that they are not read again.
    """
    _remove(folder / WORK)
    known = {output.path: output for output in hashed}
    names = sorted(_names(folder))
    manifest = Manifest(
        stage=stage,
        config=dict(config),
        inputs=tuple(inputs),
        outputs=tuple(known[name] if name in known else output(folder, name) for name in names),
        facts=dict(facts),
        made=datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        machine=machine.describe(),
    )
    files.write_json(folder / NAME, dataclasses.asdict(manifest))
    return manifest


def output(folder: Path, name: str) -> Output:
    """Hash one file of an artifact."""
    path = folder / name
    return Output(name, path.stat().st_size, files.sha256(path))


def artifact_input(role: str, artifact: Path, out: Path) -> Input:
    """Refer to another artifact from the manifest of `out`."""
    return Input(role, locations.link(artifact, out), read(artifact).digest, "artifact")


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
            return locations.follow(folder, item.path)
    raise UserError(f"{folder}: its manifest names no {role}", "name the folder by a flag")


def damaged(folder: Path, manifest: Manifest) -> list[str]:
    """List the files that are missing or whose bytes are not what the manifest says.

    In an object store, which checks its own bytes, only the sizes are compared.
    """
    return [
        output.path
        for output in manifest.outputs
        if not (path := folder / output.path).is_file()
        or path.stat().st_size != output.bytes
        or (not locations.is_remote(path) and files.sha256(path) != output.sha256)
    ]


def identity(stage: str, config: Mapping[str, Any], inputs: Sequence[Input]) -> str:
    """Name a piece of work: what `is_done` compares, as one hash."""
    settings = configs.identifying(config)
    parts = [stage, settings, sorted(dataclasses.astuple(item) for item in inputs)]
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()


def is_done(
    out: Path, stage: str, config: Mapping[str, Any], inputs: Sequence[Input], *, force: bool
) -> bool:
    """True when `out` already holds this stage's result for this config and these inputs.

    A result of something else is never overwritten unasked: that is a UserError.
    """
    if force or (out.is_dir() and (not any(out.iterdir()) or _is_begun(out))) or not out.exists():
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
def building(out: Path, resume: str | None = None) -> Iterator[Path]:
    """Yield a folder beside `out` to fill; it takes the place of `out` only if all went well.

    With `resume` (an `identity`), what is finished in it outlives a failure or a kill, and the
    next run with the same identity finds it there. In an object store nothing can be renamed:
    there the folder is `out` itself, which is an artifact once its manifest is written.
    UserError if another run is writing to `out`, or if `out` is no artifact.
    """
    with locks.alone(out):
        beside = out if locations.is_remote(out) else out.with_name(f".{out.name}.building")
        if _is_used(out) and not (out / NAME).exists() and not _is_begun(out):
            raise UserError(f"{out}: exists and is no artifact of unmask", "use another --out")
        _prepare(beside, resume)
        try:
            yield beside
        except BaseException:
            if resume is None:
                _remove(beside)
            raise
        if beside is not out:
            _swap(beside, out)


def _prepare(folder: Path, resume: str | None) -> None:
    """Empty the folder, unless the same work was begun in it."""
    begun = folder / WORK / _IDENTITY
    if _is_begun(folder) and begun.read_text(encoding="utf-8") == resume:
        say("an earlier run was stopped; what it finished is kept")
        _remove_unfinished(folder)
        return
    _remove(folder)
    folder.mkdir(parents=True, exist_ok=True)
    if resume is not None:
        begun.parent.mkdir(parents=True, exist_ok=True)
        files.write_text(begun, resume)


def _remove_unfinished(folder: Path) -> None:
    """Throw away files that a killed run was writing; what is finished has its proper name."""
    for path in folder.rglob(f"*{files.UNFINISHED}"):
        path.unlink()


def _is_begun(folder: Path) -> bool:
    return (folder / WORK / _IDENTITY).exists()


def _is_used(folder: Path) -> bool:
    return folder.exists() and any(folder.iterdir())


def _swap(beside: Path, out: Path) -> None:
    old = out.with_name(f".{out.name}.replaced")
    _remove(old)
    if out.exists():
        out.replace(old)
    beside.replace(out)
    _remove(old)


def _remove(folder: Path) -> None:
    if not locations.is_remote(folder):
        shutil.rmtree(folder, ignore_errors=True)
    elif folder.exists():
        folder.fs.rm(folder.path, recursive=True)


def _names(folder: Path) -> list[str]:
    paths = [path for path in folder.rglob("*") if path.is_file() and path.name != NAME]
    return [path.relative_to(folder).as_posix() for path in paths]


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
