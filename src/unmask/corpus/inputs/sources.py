"""From the words after `--inputs` to the files to read, always in the same order."""

import dataclasses
import glob
import os
import re
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path, PurePath, PurePosixPath

from unmask.core import files
from unmask.core.errors import UserError
from unmask.core.locations import is_remote, location
from unmask.core.progress import say
from unmask.corpus.inputs import remote, saved_datasets

FORMATS = (".txt", ".jsonl", ".json", ".csv", ".tsv", ".parquet", ".arrow", ".wiki")
PACKINGS = (".gz", ".bz2", ".xz", ".zst")
STDIN = "<stdin>"

_WIKI_EXTRACT = re.compile(r"wiki_\d+")
_HINT = (
    f"read are {' '.join(FORMATS)} and wiki_00, plain or {' '.join(PACKINGS)}, and .json only "
    "where the word itself ends so (DIR/*.json); other plain text comes in by -"
)


@dataclasses.dataclass(frozen=True, slots=True)
class Source:
    """One file of documents; `name` is what the user called it."""

    path: Path
    name: str
    bytes: int
    """Its size when it was found; 0 if a server does not tell."""


def find(words: Sequence[str], *, out: Path, scratch: Path) -> list[Source]:
    """List the files that the words name, each once: word by word, sorted within a word.

    Standard input is copied into the folder `scratch`; what lies in `out` is never a source.
    """
    found: dict[str, Source] = {}
    for word in dict.fromkeys(words):
        for source in _spool(scratch) if word == "-" else _files(word, out):
            found.setdefault(_whereabouts(source.path), source)
    return list(found.values())


def suffixes(path: PurePath) -> tuple[str, str]:
    """Take the format and the packing off a name: `a.JSONL.gz` is (".jsonl", ".gz").

    WikiExtractor gives its files no format: `wiki_07.bz2` is (".wiki", ".bz2").
    """
    name = PurePath(path.name.lower())
    packing = name.suffix if name.suffix in PACKINGS else ""
    bare = PurePath(name.name.removesuffix(packing))
    return ".wiki" if _WIKI_EXTRACT.fullmatch(bare.name) else bare.suffix, packing


def identity(source: Source) -> str:
    """Tell which contents a source has: the sha256 of its bytes, or what its server says of them.

    A remote file is not fetched for this: see `remote.identity`.
    """
    return remote.identity(source.path) if is_remote(source.path) else files.sha256(source.path)


def _spool(scratch: Path) -> list[Source]:
    path = scratch / "stdin.txt"
    with path.open("wb") as file:
        shutil.copyfileobj(sys.stdin.buffer, file)
    return [Source(path, STDIN, path.stat().st_size)]


def _files(word: str, out: Path) -> list[Source]:
    place = location(word)
    is_file, found = remote.find(place) if is_remote(place) else _local(word)
    sources = [Source(path, _name(path), size) for path, size in found]
    if not sources:
        raise UserError(
            f"{word}: no file there", "check the path or the glob, and of a URL the bucket as well"
        )
    if not is_file:
        sources = _texts_among(sources, word, out)
    for source in sources:
        if suffixes(source.path)[0] not in FORMATS:
            raise UserError(f"{source.name}: unknown suffix", _HINT)
        if not is_remote(source.path) and not os.access(source.path, os.R_OK):
            raise UserError(f"{source.name}: may not be read", "change its permissions")
    return sorted(sources, key=lambda source: PurePosixPath(source.name))


def _texts_among(sources: Sequence[Source], word: str, out: Path) -> list[Source]:
    outside = [source for source in sources if not _lies_in(source.path, out)]
    if not glob.has_magic(word):
        kept = saved_datasets.data(source.path for source in outside)
        outside = [source for source in outside if source.path in kept]
    readable = [source for source in outside if _is_wanted(source.path, word)]
    if not readable:
        raise UserError(f"{word}: no file there that can be read", _HINT)
    if len(readable) < len(outside):
        say(f"{word}: {len(outside) - len(readable):,} files of other kinds are left out")
    return readable


def _local(word: str) -> tuple[bool, list[tuple[Path, int]]]:
    """Find a file, or the files below a folder or by a glob; hidden files are no part of these."""
    path = Path(word)
    if path.exists() and not path.is_dir():
        return True, [(path, path.stat().st_size)]
    if not path.is_dir() and not glob.has_magic(word):
        raise UserError(f"{word}: no such file or folder", "check the path, or quote the glob")
    pattern = f"{glob.escape(word)}/**/*" if path.is_dir() else word
    names = glob.glob(pattern, recursive=True)  # noqa: PTH207 (Path.glob finds hidden files)
    paths = [path for path in map(Path, names) if path.is_file()]
    return False, [(path, path.stat().st_size) for path in paths]


def _is_wanted(path: Path, word: str) -> bool:
    """Among many files, .json is as often settings as text: so it has to be asked for."""
    suffix = suffixes(path)[0]
    return suffix in FORMATS and (suffix != ".json" or suffixes(PurePosixPath(word))[0] == suffix)


def _name(path: Path) -> str:
    return str(path) if is_remote(path) else path.as_posix()


def _whereabouts(path: Path) -> str:
    return str(path) if is_remote(path) else str(path.resolve())


def _lies_in(path: Path, folder: Path) -> bool:
    return PurePosixPath(_whereabouts(path)).is_relative_to(_whereabouts(folder))
