"""Files of tagged sentences, whatever their form, as IOB2."""

from pathlib import Path

from unmask.core.errors import UserError
from unmask.core.progress import say
from unmask.corpus.inputs.sources import suffixes
from unmask.finetune.data_config import EntitiesConfig
from unmask.finetune.entities import columns, lists, scheme
from unmask.finetune.entities.sentence import Sentence


def read(path: Path, config: EntitiesConfig) -> list[Sentence]:
    """Read every sentence, its tags as IOB2, and say how the file was understood.

    A .jsonl or .parquet has a sentence a row; any other file, plain or packed, a word a line.
    UserError for what cannot be read, with the line.
    """
    if suffixes(path)[0] in lists.FORMATS:
        _refuse_columns(path, config)
        sentences, how = lists.read(path), ""
    else:
        found = columns.read(path, config)
        sentences, how = found.sentences, f", columns between {found.between}"
        if found.documents:
            how += f", {found.documents:,} {columns.DOCUMENT} lines skipped"
    name = scheme.detect(sentences) if config.scheme == "auto" else config.scheme
    read_as = "" if name == "iob2" else ", read as IOB2"
    converted = scheme.to_iob2(sentences, name)
    say(f"{path}: {len(sentences):,} sentences, {name.upper()} tags{read_as}{how}")
    return converted


def _refuse_columns(path: Path, config: EntitiesConfig) -> None:
    default = EntitiesConfig()
    for flag in ("word", "tag", "separator"):
        if getattr(config, flag) != getattr(default, flag):
            raise UserError(
                f"{path}: --entities.{flag} {getattr(config, flag)!r}: a row holds lists, "
                f"{lists.WORDS} and {lists.TAGS}, no columns",
                "leave it out",
            )
