"""Recipes and flags.

A recipe is a TOML file of flags, and tyro is the only parser: a key in a file and a flag on the
command line are checked by the same code, fail with the same message, and the later one wins.
"""

import contextlib
import dataclasses
import difflib
import io
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar, get_type_hints

import tomli_w
import tyro

from unmask.core import files
from unmask.core.errors import UserError
from unmask.core.locations import is_remote

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

C = TypeVar("C", bound="DataclassInstance")

NOT_PART_OF_THE_RESULT = (
    *("out", "force", "engine", "address", "workers", "parallel", "track", "at_once"),
)
"""Settings that say where and how the work is done, and who is told; the result is the same: to the
bit, or where processes share a training (`parallel`), up to the order of its sums."""


def parse(config_type: type[C], argv: Sequence[str], *, prog: str) -> C:
    """Build a config from flags; each `--recipe FILE` stands for the flags in FILE.

    Raises UserError for an unknown flag, a missing one or a value that does not fit.
    """
    flags = _expand_recipes(argv)
    _refuse_unknown(flags, config_type, prog)
    complaint = io.StringIO()
    try:
        with contextlib.redirect_stderr(complaint):
            return tyro.cli(config_type, args=flags, prog=prog)
    except SystemExit as exit_:
        if exit_.code in (0, None):
            raise
        raise UserError(_one_line(complaint.getvalue()), f"see {prog} --help") from None


def save(config: "DataclassInstance", path: Path) -> None:
    """Write every resolved field, so that `--recipe path` repeats the run."""
    files.write_text(path, tomli_w.dumps(plain(config)))


def load(path: Path) -> dict[str, Any]:
    """Read a TOML file; UserError if it is missing or malformed."""
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise UserError(f"{path}: no such recipe", "recipes lie in recipes/") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise UserError(f"{path}: not valid TOML: {error}", "mend the line it names") from None


def plain(config: "DataclassInstance") -> dict[str, Any]:
    """Turn a config into what TOML and JSON can hold; a field left at None is left out."""
    table: dict[str, Any] = _plain(dataclasses.asdict(config))
    return table


def identifying(config: Mapping[str, Any]) -> dict[str, Any]:
    """Leave out what is no part of the result."""
    return {key: value for key, value in config.items() if key not in NOT_PART_OF_THE_RESULT}


def differences(old: Mapping[str, Any], new: Mapping[str, Any], prefix: str = "") -> list[str]:
    """List the settings that differ, as `name: old -> new`, leaving out where the result goes."""
    found = []
    for key in sorted(old.keys() | new.keys()):
        before, after = old.get(key), new.get(key)
        if before == after or (not prefix and key in NOT_PART_OF_THE_RESULT):
            continue
        if isinstance(before, Mapping) and isinstance(after, Mapping):
            found += differences(before, after, f"{prefix}{key}.")
        else:
            found.append(f"{prefix}{key}: {before} -> {after}")
    return found


def _expand_recipes(argv: Sequence[str]) -> list[str]:
    flags: list[str] = []
    rest = iter(argv)
    for word in rest:
        if word != "--recipe" and not word.startswith("--recipe="):
            flags.append(word)
            continue
        path = word.partition("=")[2] or next(rest, None)
        if path is None:
            raise UserError("--recipe needs a file", "for example: --recipe recipes/laptop.toml")
        flags.extend(_flags(load(Path(path)), prefix=""))
    return flags


def _flags(table: Mapping[str, Any], prefix: str) -> Iterator[str]:
    """Yield `--optim.peak-lr=0.0006` for `[optim] peak_lr = 6e-4`; lists become several words."""
    for key, value in table.items():
        name = prefix + key.replace("_", "-")
        match value:
            case Mapping():
                yield from _flags(value, prefix=f"{name}.")
            case bool():
                head, _, last = name.rpartition(".")
                stem = f"{head}." if head else ""
                yield f"--{stem}{'' if value else 'no-'}{last}"
            case list():
                yield from (f"--{name}", *map(str, value))
            case _:
                yield f"--{name}={value}"


def _plain(value: Any) -> Any:  # noqa: ANN401
    match value:
        case Mapping():
            return {key: _plain(item) for key, item in value.items() if item is not None}
        case list() | tuple():
            return [_plain(item) for item in value]
        case _ if isinstance(value, Path) or is_remote(value):
            return str(value)
        case _:
            return value


def _one_line(box: str) -> str:
    """Take the message out of the frame that tyro draws around it."""
    lines = [line.strip("│╭╮╰╯─ ") for line in box.splitlines()]
    text = " ".join(line for line in lines if line)
    text = text.partition("For full helptext")[0]
    for heading in ("Parsing error", "Value error", "Required options"):
        text = text.removeprefix(heading).strip()
    return text or "the flags do not fit"


def _refuse_unknown(flags: Sequence[str], config_type: type[C], prog: str) -> None:
    """Find a misspelt name before tyro does, which would first complain of what is missing."""
    known = {"--help", *_names(config_type, "")}
    for word in flags:
        name = word.partition("=")[0].replace("_", "-")
        if name.startswith("--") and name not in known and name.replace("no-", "", 1) not in known:
            near = difflib.get_close_matches(name, sorted(known), n=1)
            hint = f"did you mean {near[0]}?" if near else f"see {prog} --help"
            raise UserError(f"{prog}: unknown option {name}", hint)


def _names(config_type: type[Any], prefix: str) -> Iterator[str]:
    hints = get_type_hints(config_type)
    for field in dataclasses.fields(config_type):
        # A word of Python, such as `from`, is a field with an underscore after it.
        name = prefix + field.name.rstrip("_").replace("_", "-")
        if dataclasses.is_dataclass(hints[field.name]):
            yield from _names(hints[field.name], f"{name}.")
        else:
            yield f"--{name}"
