"""One run at a time in a folder: a lock that the system frees however a process ends."""

import contextlib
import fcntl
import hashlib
import os
import socket
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from unmask.core.errors import UserError
from unmask.core.locations import is_remote

_held: dict[str, IO[str]] = {}


def hold(out: Path) -> None:
    """Take the lock of a folder until `release` or the end of this process.

    UserError if another process of this machine has it. A process may take its own lock again.
    For a folder in an object store the lock lies in this machine's temporary folder, so it does
    not see other machines.
    """
    path = _path(out)
    if str(path) in _held:
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    while True:
        file = path.open("a+", encoding="utf-8")
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            owner = _owner(file)
            file.close()
            raise UserError(
                f"{out}: another run is writing there ({owner})",
                "wait until it is done, stop it, or use another --out",
            ) from None
        if _is_still(path, file):
            break
        file.close()  # its last owner has just removed it
    file.truncate(0)
    file.write(f"process {os.getpid()} on {socket.gethostname()}")
    file.flush()
    _held[str(path)] = file


def release(out: Path) -> None:
    """Give the lock back, if this process has it."""
    path = _path(out)
    file = _held.pop(str(path), None)
    if file is not None:
        path.unlink(missing_ok=True)
        file.close()


@contextmanager
def alone(out: Path) -> Iterator[None]:
    """Hold the lock of a folder for a while."""
    mine = str(_path(out)) in _held
    hold(out)
    try:
        yield
    finally:
        if not mine:
            release(out)


def _path(out: Path) -> Path:
    if is_remote(out):
        name = hashlib.sha256(str(out).encode()).hexdigest()[:16]
        return Path(tempfile.gettempdir()) / f"unmask-{os.getuid()}-{name}.lock"
    out = out.resolve()
    return out.with_name(f".{out.name}.lock")


def _owner(file: IO[str]) -> str:
    file.seek(0)
    return file.read().strip() or "not known which"


def _is_still(path: Path, file: IO[str]) -> bool:
    with contextlib.suppress(FileNotFoundError):
        return os.path.samestat(path.stat(), os.fstat(file.fileno()))
    return False
