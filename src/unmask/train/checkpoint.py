"""Checkpoints: whole or not there, verified by hash, written while training goes on.

checkpoints/step-1000/shard-00001-model-00001-of-00001.safetensors   one file a process
                      state.json              where the run stands
                      manifest.json           hashes of the above; the step, the held-out loss
           /.step-2000.building/              what is being written
"""

import json
import math
import shutil
from collections.abc import Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any

import torch
from torch import distributed, nn

from unmask.core import files, manifests
from unmask.core.errors import UserError
from unmask.core.progress import say
from unmask.train import tensors
from unmask.train.ranks import Ranks

PREFIX = "step-"
BUILDING = ".building"
REMOVED = ".removed"

Facts = dict[str, Any]


class Checkpoints:
    """The checkpoints of one run; every process of the run has one of these.

    All its calls are made by all processes, in the same order. One checkpoint at a time is being
    written; `wait` before the run ends.
    """

    def __init__(self, folder: Path, *, keep: int, ranks: Ranks) -> None:
        self._folder = folder
        self._keep = keep
        self._ranks = ranks
        # Its own group: what the writing thread sends must not mix with what training sends.
        self._group = distributed.new_group(backend="gloo") if ranks.size > 1 else None
        self._thread = ThreadPoolExecutor(1, "checkpoint")
        self._saving: Future[None] | None = None
        if ranks.first:
            self._tidy()
        ranks.wait()

    def save(
        self,
        step: int,
        model: nn.Module,
        optimizer: torch.optim.Optimizer,
        state: dict[str, Any],
        *,
        loss: float | None = None,
    ) -> None:
        """Copy everything, then write `folder/step-N` in the background.

        `loss` is the held-out one; the checkpoint with the lowest is kept. What cannot be written
        is an OSError, raised by the next call. Does nothing if just this is there and whole.
        """
        self.wait()
        facts = {"step": step, "loss": loss if loss is not None and math.isfinite(loss) else None}
        state = json.loads(json.dumps(state | {"step": step}))
        if not self._ranks.told(self._ranks.first and self._begun(state, facts)):
            return
        writing = tensors.write(_beside(self._path(step)), model, optimizer, self._group)
        self._saving = self._thread.submit(self._finish, writing, state, facts)

    def wait(self) -> None:
        """Return when no checkpoint is being written any more; raise what went wrong with it."""
        saving, self._saving = self._saving, None
        if saving is not None:
            saving.result()

    def newest(self, *, before: int | None = None) -> Path | None:
        """The newest whole checkpoint, of a step before the given one.

        A damaged one is said and passed over.
        """
        self.wait()
        paths = [path for path in self._newest_first() if before is None or _step(path) < before]
        return self._agreed(paths, "the checkpoint before it")

    def best(self) -> Path | None:
        """The whole checkpoint with the lowest held-out loss."""
        self.wait()
        return self._agreed(_best_first(self._newest_first()), "the next best")

    def restore(
        self, path: Path, model: nn.Module, optimizer: torch.optim.Optimizer
    ) -> dict[str, Any]:
        """Load weights and moments in place and return the state.

        UserError if the checkpoint is of another model or optimizer.
        """
        self.wait()
        tensors.read(path, model, optimizer, self._group)
        return read_state(path)

    def _agreed(self, paths: list[Path], other: str) -> Path | None:
        """The first whole one; the first process looks, all of them learn it."""
        return self._ranks.told(_first_whole(paths, other) if self._ranks.first else None)

    def _begun(self, state: dict[str, Any], facts: Facts) -> bool:
        """Make the folder to write to, unless there is nothing to write."""
        path = self._path(facts["step"])
        if path.exists() and not _harm(path) and _says(path) == (facts, state):
            return False
        beside = _beside(path)
        shutil.rmtree(beside, ignore_errors=True)
        beside.mkdir(parents=True)
        return True

    def _finish(self, writing: Future[Any], state: dict[str, Any], facts: Facts) -> None:
        """In the background: put the folder in its place when all have written their share."""
        beside = _beside(self._path(facts["step"]))
        error: Exception | None = None
        try:
            tensors.finish(writing)
            if self._ranks.first:
                self._publish(beside, state, facts)
        except Exception as raised:
            error = _located(raised, beside)
        if self._group is not None:
            box = [error]
            distributed.broadcast_object_list(box, src=0, group=self._group)
            error = error or box[0]
        if error is not None:
            if self._ranks.first:
                shutil.rmtree(beside, ignore_errors=True)
            raise error

    def _publish(self, beside: Path, state: dict[str, Any], facts: Facts) -> None:
        files.write_json(beside / "state.json", state)
        manifests.write(beside, "checkpoint", {}, [], facts)
        self._place(beside)
        found = self._newest_first()
        kept = {*found[: self._keep], *_best_first(found)[:1]}
        for path in found:
            if path not in kept:
                _remove(path)

    def _place(self, beside: Path) -> None:
        """Put a finished checkpoint in its place; a kill meanwhile loses nothing: see _tidy."""
        path = beside.with_name(beside.stem.removeprefix("."))
        for other in self._newest_first():
            if _step(other) >= _step(path):  # of a course the run has turned back from
                _remove(other)
        beside.replace(path)

    def _tidy(self) -> None:
        """Clear away what a killed run left; what it had finished is put in its place."""
        for beside in self._folder.glob(f".{PREFIX}*{BUILDING}"):
            if _harm(beside):  # the manifest is written last
                shutil.rmtree(beside)
            else:
                self._place(beside)
        for path in self._folder.glob(f".{PREFIX}*{REMOVED}"):
            shutil.rmtree(path)

    def _path(self, step: int) -> Path:
        return self._folder / f"{PREFIX}{step}"

    def _newest_first(self) -> list[Path]:
        return sorted(self._folder.glob(f"{PREFIX}*"), key=_step, reverse=True)


def read_state(path: Path) -> dict[str, Any]:
    """Where the run stood when this checkpoint was written."""
    state: dict[str, Any] = files.read_json(path / "state.json")
    return state


def _says(path: Path) -> tuple[Facts, dict[str, Any]]:
    return manifests.read(path).facts, read_state(path)


def _first_whole(paths: Iterable[Path], other: str) -> Path | None:
    for path in paths:
        harm = _harm(path)
        if not harm:
            return path
        say(f"{path}: damaged ({harm}), so {other} is used")
    return None


def _best_first(paths: Iterable[Path]) -> list[Path]:
    """Those with a held-out loss, by it; of equals the newest stays in front."""
    losses = {path: _loss(path) for path in paths}
    return sorted((path for path in losses if losses[path] < math.inf), key=losses.__getitem__)


def _loss(path: Path) -> float:
    try:
        loss = manifests.read(path).facts["loss"]
    except (UserError, KeyError):
        return math.inf
    return math.inf if loss is None else float(loss)


def _harm(path: Path) -> str:
    """What is wrong with a checkpoint; nothing, if its hashes match."""
    try:
        return ", ".join(manifests.damaged(path, manifests.read(path))[:1])
    except UserError as error:
        return error.what


def _remove(path: Path) -> None:
    """Take a checkpoint out of sight before its files go, so that a half of it is never seen."""
    away = path.with_name(f".{path.name}{REMOVED}")
    shutil.rmtree(away, ignore_errors=True)
    shutil.rmtree(path.replace(away))


def _beside(path: Path) -> Path:
    return path.with_name(f".{path.name}{BUILDING}")


def _located(error: Exception, beside: Path) -> Exception:
    """Say where, as a full disk does not when a write fails."""
    if isinstance(error, OSError) and error.errno is not None and error.filename is None:
        return OSError(error.errno, error.strerror, str(beside))
    return error


def _step(path: Path) -> int:
    return int(path.name.removeprefix(PREFIX))
