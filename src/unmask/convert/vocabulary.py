"""The tokenizer of a checkpoint of fairseq: encoder.json, vocab.bpe and dict.txt.

GPT-2 numbers its tokens in encoder.json; a line of dict.txt is such a number, and its place says
the id (fairseq/data/dictionary.py). `<s> <pad> </s> <unk>` come before the first line; `<mask>`
after the last, or where a line names it.
"""

import dataclasses
import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import tokenizers
from tokenizers import models

from unmask.core import files
from unmask.core.errors import UserError
from unmask.tokenizer import fairseq, imports
from unmask.tokenizer.build import byte_level_bpe
from unmask.tokenizer.byte_letters import LETTERS
from unmask.tokenizer.family import ROBERTA
from unmask.tokenizer.layout import TOKENIZER
from unmask.tokenizer.tokenizer import Tokenizer

ENCODER, MERGES, DICTIONARY = imports.VOCABULARIES["fairseq"]
BEFORE = ROBERTA.specials[:4]
"""The tokens that no dict.txt names."""
WHOLE = f"take {DICTIONARY}, {ENCODER} and {MERGES} of the model that the checkpoint holds"


@dataclasses.dataclass(frozen=True, slots=True)
class Source:
    """Where the tokenizer of a checkpoint stands: in GPT-2's two files, or in a folder of ours."""

    tokenizer: tuple[Path, Path] | imports.Source
    dictionary: Path | None

    @property
    def paths(self) -> list[Path]:
        """Every file that is read."""
        found = self.tokenizer
        files = found if isinstance(found, tuple) else found.paths
        return [*files, *([self.dictionary] if self.dictionary else [])]


def find(beside: Path, folder: Path | None) -> Source:
    """Find the files in `folder`, or beside the checkpoint; UserError if some are missing."""
    given = folder or beside
    dictionaries = [where / DICTIONARY for where in (beside, given)]
    dictionary = next((path for path in dictionaries if path.is_file()), None)
    if dictionary is not None and folder is not None and (folder / DICTIONARY).is_file():
        _refuse_another(_names(dictionary), _names(folder / DICTIONARY), dictionary, folder)
    gpt2 = (given / ENCODER, given / MERGES)
    if (given / TOKENIZER).is_file() or not all(path.is_file() for path in gpt2):
        return Source(_whole(given, folder), dictionary)
    if dictionary is None:
        raise UserError(f"{beside}: no {DICTIONARY} there", WHOLE)
    return Source(gpt2, dictionary)


def read(source: Source) -> Tokenizer:
    """Build the tokenizer; UserError if dict.txt gives its tokens other ids than it does."""
    if isinstance(source.tokenizer, imports.Source):
        tokenizer = imports.read(source.tokenizer)
        if source.dictionary is not None:
            where = source.tokenizer.folder
            ours = Spelling.of(tokenizer, tokenizer.vocabulary, where).names
            _refuse_another(_names(source.dictionary), ours, source.dictionary, where)
        return tokenizer
    assert source.dictionary is not None
    encoder, merges = source.tokenizer
    try:
        gpt2_ids, pairs = models.BPE.read_file(str(encoder), str(merges))
    except Exception as error:  # the library raises nothing narrower
        raise UserError(f"{encoder}, {merges.name}: not read ({error})", "get them again") from None
    try:
        return byte_level_bpe(fairseq.renumber(gpt2_ids, _names(source.dictionary)), pairs)
    except UserError as error:
        raise UserError(f"{source.dictionary}: {error.what}", error.hint) from None


def refuse_another_model(tokenizer: Tokenizer, rows: int, where: Path) -> None:
    """Refuse other special ids, ids without a row and rows without an id, before weights meet."""
    _refuse_other_specials(tokenizer, where)
    if tokenizer.vocabulary != rows:
        raise UserError(
            f"{where}: its embedding has {rows:,} rows, "
            f"the vocabulary {tokenizer.vocabulary:,} ids",
            f"{WHOLE}; fairseq too wants as many ids as rows, madeupwords counted",
        )


@dataclasses.dataclass(frozen=True, slots=True)
class Spelling:
    """A tokenizer in fairseq's terms."""

    encoder: Mapping[str, int]
    """GPT-2's numbers: the bytes, then the merges in their order, then what is left."""
    merges: Sequence[tuple[str, str]]
    names: Sequence[str]
    """What the lines of dict.txt name, from id 4 on; a `<mask>` at the very end has no line."""

    @classmethod
    def of(cls, tokenizer: Tokenizer, rows: int, where: Path) -> "Spelling":
        """Spell a tokenizer; with more rows than ids, made-up words fill it up as fairseq does.

        UserError, naming `where` it is from, for one that fairseq's GPT-2 BPE cannot repeat.
        """
        _refuse_other_specials(tokenizer, where)
        backend = tokenizers.Tokenizer.from_str(tokenizer.json)
        _refuse_unfit(backend, rows, where)
        merges = [(left, right) for left, right in json.loads(backend.to_str())["model"]["merges"]]
        ids = backend.get_vocab()
        by_id = sorted(ids, key=ids.__getitem__)
        real = [x for x in by_id if x not in ROBERTA.specials and not _is_filler(x)]
        ordered = dict.fromkeys(
            [*sorted(LETTERS), *(left + right for left, right in merges), *real]
        )
        encoder = {token: number for number, token in enumerate(ordered)}
        names = [str(encoder[x]) if x in encoder else x for x in by_id[len(BEFORE) :]]
        names += _fillers(rows - len(by_id), set(names))
        if names[-1] == ROBERTA.mask:
            names.pop()
        return cls(encoder, merges, names)

    def save(self, folder: Path) -> None:
        """Write encoder.json, vocab.bpe and dict.txt; no counts are known, so each token has 1."""
        files.write_text(folder / ENCODER, json.dumps(self.encoder) + "\n")
        merges = [f"{left} {right}\n" for left, right in self.merges]
        files.write_text(folder / MERGES, "".join(["#version: 0.2\n", *merges]))
        lines = [f"{name} {0 if _is_filler(name) else 1}\n" for name in self.names]
        files.write_text(folder / DICTIONARY, "".join(lines))


def _whole(given: Path, folder: Path | None) -> imports.Source:
    try:
        return imports.find(given)
    except UserError as error:
        if folder is not None:
            raise
        raise UserError(
            f"{given}: {ENCODER} and {MERGES} do not lie beside the checkpoint",
            "name a folder that holds them, or another tokenizer of RoBERTa, by --tokenizer",
        ) from error


def _names(dictionary: Path) -> list[str]:
    try:
        lines = dictionary.read_text(encoding="utf-8").removesuffix("\n").split("\n")
    except UnicodeDecodeError as error:
        raise UserError(f"{dictionary}: not UTF-8 ({error})", "get the file again") from None
    names = [line.rpartition(" ")[0] for line in lines]
    return names[:-1] if names[-1] == ROBERTA.mask else names


def _refuse_another(theirs: Sequence[str], ours: Sequence[str], path: Path, folder: Path) -> None:
    """Refuse a tokenizer whose ids are not those of dict.txt, and show the first."""
    last = [ROBERTA.mask]
    for place, (left, right) in enumerate(zip([*theirs, *last], [*ours, *last], strict=False)):
        if left != right:
            raise UserError(
                f"{path}: id {len(BEFORE) + place} is {left}, in {folder} it is {right}", WHOLE
            )
    if len(theirs) != len(ours):
        raise UserError(f"{path}: {len(theirs):,} lines, {folder} has {len(ours):,}", WHOLE)


def _refuse_other_specials(tokenizer: Tokenizer, where: Path) -> None:
    if tokenizer.family != ROBERTA.name:
        raise UserError(
            f"{where}: the tokenizer is BERT's", "fairseq's RoBERTa reads byte-level BPE alone"
        )
    found = (tokenizer.bos_id, tokenizer.pad_id, tokenizer.eos_id, tokenizer.unk_id)
    if found != tuple(range(len(BEFORE))):
        said = ", ".join(f"{token} {id_}" for token, id_ in zip(BEFORE, found, strict=True))
        raise UserError(f"{where}: the tokenizer numbers {said}", "fairseq numbers them 0, 1, 2, 3")


def _refuse_unfit(backend: tokenizers.Tokenizer, rows: int, where: Path) -> None:
    """Refuse what GPT-2's BPE, which fairseq runs, would cut otherwise."""
    known = {*backend.get_vocab(with_added_tokens=False), *ROBERTA.specials}
    added = backend.get_added_tokens_decoder().values()
    strange = [token.content for token in added if token.content not in known]
    if strange:
        raise UserError(
            f"{where}: the tokenizer has the added token {strange[0]!r} ({len(strange)} such)",
            "fairseq would cut it into pieces; take a tokenizer without it",
        )
    if backend.pre_tokenizer.add_prefix_space:
        raise UserError(
            f"{where}: the tokenizer puts a space before each text (add_prefix_space)",
            "fairseq does not; take a tokenizer without it",
        )
    if len(backend.get_vocab()) > rows:
        raise UserError(
            f"{where}: the tokenizer has {len(backend.get_vocab()):,} ids, the embedding "
            f"{rows:,} rows",
            "bring tokenizer and weights of one model together",
        )


def _fillers(count: int, taken: set[str]) -> Iterator[str]:
    number = 0
    while count > 0:
        name = f"{fairseq.FILLER}{number:04d}"
        number += 1
        if name not in taken:
            count -= 1
            yield name


def _is_filler(token: str) -> bool:
    return token.startswith(fairseq.FILLER)
