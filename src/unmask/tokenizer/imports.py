"""Take over an existing vocabulary: RoBERTa's, fairseq's, BERT's, or a whole tokenizer.json."""

import dataclasses
import json
from pathlib import Path
from typing import Any, Literal

import tokenizers

from unmask.core.errors import UserError
from unmask.tokenizer import fairseq
from unmask.tokenizer.build import byte_level_bpe, word_piece
from unmask.tokenizer.layout import SETTINGS, TOKENIZER
from unmask.tokenizer.tokenizer import Tokenizer

Kind = Literal["transformers", "roberta", "fairseq", "bert"]

VOCABULARIES: dict[Kind, tuple[str, ...]] = {
    "roberta": ("vocab.json", "merges.txt"),
    "fairseq": ("encoder.json", "vocab.bpe", "dict.txt"),
    "bert": ("vocab.txt",),
}


@dataclasses.dataclass(frozen=True, slots=True)
class Source:
    """What a folder holds, and which of its files are read."""

    folder: Path
    kind: Kind
    paths: tuple[Path, ...]


def find(folder: Path) -> Source:
    """Tell what a folder holds: a `tokenizer.json`, or else exactly one vocabulary."""
    settings = [folder / SETTINGS] if (folder / SETTINGS).is_file() else []
    if (folder / TOKENIZER).is_file():
        return Source(folder, "transformers", (folder / TOKENIZER, *settings))
    kinds = [
        kind
        for kind, names in VOCABULARIES.items()
        if all((folder / name).is_file() for name in names)
    ]
    if len(kinds) != 1:
        raise _not_one(folder, len(kinds))
    paths = [folder / name for name in VOCABULARIES[kinds[0]]]
    return Source(folder, kinds[0], (*paths, *(settings if kinds == ["bert"] else [])))


def read(source: Source, *, lowercase: bool | None = None) -> Tokenizer:
    """Build the tokenizer; `lowercase` is for a BERT vocabulary that does not say it itself."""
    try:
        return _read(source, lowercase=lowercase)
    except UserError as error:
        raise UserError(f"{source.folder}: {error.what}", error.hint) from None


def _not_one(folder: Path, complete: int) -> UserError:
    names = sorted(name for names in VOCABULARIES.values() for name in names)
    found = [name for name in names if (folder / name).is_file()]
    choices = "; ".join(" and ".join(names) for names in VOCABULARIES.values())
    return UserError(
        f"{folder}: {'more than one vocabulary' if complete else 'no whole vocabulary'} there"
        f" (found: {', '.join(found) or 'none of the files'})",
        f"exactly one of these is needed: {TOKENIZER}; {choices}",
    )


def _read(source: Source, *, lowercase: bool | None) -> Tokenizer:
    if lowercase is not None and source.kind != "bert":
        raise UserError(
            f"--lowercase and --cased do not go with {source.paths[0].name}",
            "they are for a vocab.txt; leave the flag out",
        )
    match source.kind:
        case "transformers":
            return _whole(source.folder)
        case "roberta":
            vocabulary, merges = source.paths
            return byte_level_bpe(_ids(vocabulary), _merges(merges))
        case "fairseq":
            encoder, merges, dictionary = source.paths
            ids = fairseq.renumber(_ids(encoder), _lines(dictionary))
            return byte_level_bpe(ids, _merges(merges))
        case "bert":
            return _bert(source.folder, source.paths[0], flag=lowercase)


def _whole(folder: Path) -> Tokenizer:
    """Take a `tokenizer.json` over, without the truncation and padding of its last use."""
    tokenizer = Tokenizer(_text(folder / TOKENIZER))
    backend = tokenizers.Tokenizer.from_str(tokenizer.json)
    stated = _settings(folder).get("do_lower_case")
    actual = backend.normalizer.lowercase if tokenizer.family == "bert" else stated
    if stated not in (None, actual):
        raise UserError(
            f"{SETTINGS} says do_lower_case {stated}, {TOKENIZER} lowercase {actual}",
            "put right the one that is wrong",
        )
    backend.no_truncation()
    backend.no_padding()
    return Tokenizer(backend.to_str(pretty=True))


def _bert(folder: Path, path: Path, *, flag: bool | None) -> Tokenizer:
    settings = _settings(folder)
    stated = settings.get("do_lower_case")
    lowercase = flag if stated is None else stated
    if lowercase is None:
        raise UserError(
            f"{path.name} does not say whether its text was lowercased",
            "--lowercase for an uncased vocabulary, --cased for a cased one",
        )
    if flag not in (None, lowercase):
        raise UserError(
            f"{SETTINGS} says do_lower_case {lowercase}, the flag the contrary",
            "leave the flag out, or put the file right",
        )
    return word_piece(
        {token: id_ for id_, token in enumerate(_lines(path))},
        lowercase=lowercase,
        strip_accents=settings.get("strip_accents"),
        handle_chinese_chars=settings.get("tokenize_chinese_chars", True),
    )


def _settings(folder: Path) -> dict[str, Any]:
    path = folder / SETTINGS
    return _table(path) if path.is_file() else {}


def _ids(path: Path) -> dict[str, int]:
    table = _table(path)
    if not all(isinstance(id_, int) for id_ in table.values()):
        raise UserError(f"{path.name} holds ids that are no numbers", "get the file again")
    return table


def _merges(path: Path) -> list[tuple[str, str]]:
    pairs = []
    for number, line in enumerate(_lines(path), start=1):
        if line.startswith("#version"):
            continue
        match line.split(" "):
            case [left, right] if left and right:
                pairs.append((left, right))
            case _:
                raise UserError(
                    f"{path.name}, line {number}: {line!r} is no pair", "get the file again"
                )
    return pairs


def _table(path: Path) -> dict[str, Any]:
    try:
        table = json.loads(_text(path))
    except json.JSONDecodeError as error:
        raise UserError(f"{path.name} is not JSON ({error})", "get the file again") from None
    if not isinstance(table, dict):
        raise UserError(f"{path.name} is not a JSON object", "get the file again")
    return table


def _lines(path: Path) -> list[str]:
    """Split at line feeds only: other line separators occur inside of vocabularies."""
    return _text(path).removesuffix("\n").split("\n")


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise UserError(f"{path.name} is not UTF-8 ({error})", "get the file again") from None
