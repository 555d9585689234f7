"""From the words after `--inputs` to the files to read, always in the same order."""

import dataclasses
import glob
import os
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path

from unmask.core.errors import UserError
from unmask.core.progress import say

FORMATS = (".txt", ".jsonl", ".csv", ".tsv", ".parquet")
PACKINGS = (".gz", ".zst")
STDIN = "<stdin>"

_HINT = f"read are {' '.join(FORMATS)}, plain, .gz or .zst; other plain text comes in by -"


@dataclasses.dataclass(frozen=True, slots=True)
class Source:
    """One file of documents; `name` is what the user called it."""

    path: Path
    name: str


def find(words: Sequence[str], *, out: Path, scratch: Path) -> list[Source]:
    """List the files that the words name, each once: word by word, sorted within a word.

    Standard input is copied into the folder `scratch`; what lies in `out` is never a source.
    """
    found: dict[Path, Source] = {}
    for word in dict.fromkeys(words):
        for source in _spool(scratch) if word == "-" else _files(word, out):
            found.setdefault(source.path.resolve(), source)
    return list(found.values())


def suffixes(path: Path) -> tuple[str, str]:
    """Take the format and the packing off a name: `a.JSONL.gz` is (".jsonl", ".gz")."""
    name = Path(path.name.lower())
    packing = name.suffix if name.suffix in PACKINGS else ""
    return Path(name.name.removesuffix(packing)).suffix, packing


def _spool(scratch: Path) -> list[Source]:
    path = scratch / "stdin.txt"
    with path.open("wb") as file:
        shutil.copyfileobj(sys.stdin.buffer, file)
    return [Source(path, STDIN)]


def _files(word: str, out: Path) -> list[Source]:
    path = Path(word)
    if path.exists() and not path.is_dir():
        paths = [path]
    elif path.is_dir() or glob.has_magic(word):
        paths = _below(word, out)
    else:
        raise UserError(f"{word}: no such file or folder", "check the path, or quote the glob")
    for path in paths:
        if not _is_readable(path):
            raise UserError(f"{path}: unknown suffix", _HINT)
        if not os.access(path, os.R_OK):
            raise UserError(f"{path}: may not be read", "change its permissions")
    return [Source(path, path.as_posix()) for path in paths]


def _below(word: str, out: Path) -> list[Path]:
    """Find what can be read below a folder or by a glob; hidden files are no part of either."""
    pattern = f"{glob.escape(word)}/**/*" if Path(word).is_dir() else word
    names = glob.glob(pattern, recursive=True)  # noqa: PTH207 (Path.glob finds hidden files)
    outside = [path for path in map(Path, names) if not _lies_in(path, out) and path.is_file()]
    readable = sorted(path for path in outside if _is_readable(path))
    if not readable:
        raise UserError(f"{word}: no file there that can be read", _HINT)
    if len(readable) < len(outside):
        say(f"{word}: {len(outside) - len(readable):,} files of other kinds are left out")
    return readable


def _is_readable(path: Path) -> bool:
    return suffixes(path)[0] in FORMATS


def _lies_in(path: Path, folder: Path) -> bool:
    return path.resolve().is_relative_to(folder.resolve())
