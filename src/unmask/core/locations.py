"""Where things lie: paths on this machine, and URLs of object stores through fsspec.

A remote place is a `UPath` of universal_pathlib, which has the methods of a `Path`; code that only
opens, lists and joins need not know which of the two it has.
"""

import hashlib
import os
import posixpath
import re
from pathlib import Path, PurePosixPath
from typing import Annotated, Any, TypeGuard, cast

from tyro.constructors import PrimitiveConstructorSpec

from unmask.core.errors import UserError

EXTRAS = {"s3": "s3", "s3a": "s3", "gs": "gcs", "gcs": "gcs", "abfs": "azure", "az": "azure"}
"""What to install for a scheme that fsspec has no file system for out of the box."""

_URL = re.compile(r"[a-z][a-z0-9+.-]+://")


def location(word: str) -> Path:
    """Take a word of the command line as a path, or as a URL if it has a scheme.

    UserError if the scheme is unknown or its package is missing.
    """
    if not _URL.match(word):
        return Path(word)
    from upath import UPath  # not at the head: --help must not wait for fsspec

    scheme = word.partition("://")[0]
    try:
        remote = UPath(word)
        _ = remote.fs
    except ImportError as error:
        extra = EXTRAS.get(scheme)
        hint = f"pip install 'unmask[{extra}]'" if extra else "install the package it names"
        raise UserError(f"{word}: {scheme}:// needs a package ({error})", hint) from None
    except ValueError as error:
        raise UserError(
            f"{word}: {error}", "known are paths and fsspec's URLs, such as s3:// gs:// hf://"
        ) from None
    return cast(Path, remote)


Location = Annotated[
    Path,
    PrimitiveConstructorSpec(
        nargs=1,
        metavar="PATH|URL",
        instance_from_str=lambda words: location(words[0]),
        is_instance=lambda value: is_remote(value) or isinstance(value, Path),
        str_from_instance=lambda value: [str(value)],
    ),
]
"""A path in a config that may also be a URL."""


def is_remote(place: object) -> TypeGuard[Any]:
    """Tell a URL from a path of this machine."""
    return hasattr(place, "fs") and not isinstance(place, Path)


def local(file: Path) -> Path:
    """Give a path on this machine: the file itself, or its copy in the cache, fetched once.

    The cache is $UNMASK_CACHE, or `unmask` in $XDG_CACHE_HOME or ~/.cache; a file that changed at
    its source is fetched again.
    """
    if not is_remote(file):
        return file
    key = hashlib.sha256(f"{file} {file.fs.ukey(file.path)}".encode()).hexdigest()[:32]
    copy: Path = cache() / key / str(file.name)
    if not copy.exists():
        copy.parent.mkdir(parents=True, exist_ok=True)
        part = copy.with_name(f".{copy.name}.{os.getpid()}.part")
        try:
            file.fs.get_file(file.path, str(part))
            part.replace(copy)
        finally:
            part.unlink(missing_ok=True)
    return copy


def link(target: Path, base: Path) -> str:
    """Name `target` as seen from the folder `base`: relative where both lie in one file system."""
    if not is_remote(target) and not is_remote(base):
        return Path(os.path.relpath(target.resolve(), base.resolve())).as_posix()
    if is_remote(target) and is_remote(base) and target.fs == base.fs:
        return str(posixpath.relpath(target.path, base.path))
    return str(target if is_remote(target) else target.resolve())


def follow(base: Path, name: str) -> Path:
    """Find what `link` named from the folder `base`."""
    if _URL.match(name):
        return location(name)
    if is_remote(base) and not PurePosixPath(name).is_absolute():
        scheme, _, place = str(base).partition("://")
        return location(f"{scheme}://{posixpath.normpath(posixpath.join(place, name))}")
    return Path(name) if is_remote(base) else Path(os.path.normpath(base / name))


def cache() -> Path:
    """The folder for what can be fetched or measured again."""
    home = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(os.environ.get("UNMASK_CACHE") or Path(home) / "unmask")
