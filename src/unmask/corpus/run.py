"""`unmask corpus`: read, clean, drop what is empty or repeated, split, write, report."""

import tempfile
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from unmask.core import config as configs
from unmask.core import files, manifests
from unmask.core.errors import UserError
from unmask.core.manifests import Input
from unmask.core.progress import bar, say
from unmask.corpus import formats, sources
from unmask.corpus.clean import clean
from unmask.corpus.config import CorpusConfig
from unmask.corpus.sources import Source
from unmask.corpus.split import SPLITS, Split, fingerprint, side
from unmask.corpus.store import STAGE, Document, PartWriter

COUNTED = ("documents", "lines", "characters")


class Tally:
    """What was kept in each split, and why the other documents were dropped."""

    def __init__(self) -> None:
        self.kept = {split: Counter(dict.fromkeys(COUNTED, 0)) for split in SPLITS}
        self.dropped = Counter(empty=0, duplicate=0, undecodable=0)

    def keep(self, split: Split, text: str) -> None:
        """Count a kept document; a blank line is no line of text."""
        lines = text.count("\n") + 1 - text.count("\n\n")
        self.kept[split].update(documents=1, lines=lines, characters=len(text))

    def facts(self) -> dict[str, Any]:
        """Give the counts as they stand in the manifest."""
        splits: dict[str, Any] = {split: dict(counts) for split, counts in self.kept.items()}
        total = {name: sum(counts[name] for counts in splits.values()) for name in COUNTED}
        read = total["documents"] + self.dropped.total()
        return {**total, "read": read, **splits, "dropped": dict(self.dropped)}


def run(config: CorpusConfig) -> None:
    """Make the corpus folder; UserError for inputs that cannot be read or hold nothing."""
    with tempfile.TemporaryDirectory() as scratch:
        found = sources.find(config.inputs, out=config.out, scratch=Path(scratch))
        _refuse_idle_settings(found, config)
        inputs = _hashed(found)
        settings = configs.plain(config)
        if manifests.is_done(config.out, STAGE, settings, inputs, force=config.force):
            return
        with manifests.building(config.out) as folder:
            facts = _write(folder, found, config).facts()
            _require_documents(facts)
            manifests.write(folder, STAGE, settings, inputs, facts)
    _report(config.out, facts)


def _refuse_idle_settings(found: Sequence[Source], config: CorpusConfig) -> None:
    """A setting takes effect or fails: one for a format that no input has is a mistake."""
    formats = {sources.suffixes(source.path)[0] for source in found}
    if config.txt_documents != "blank-line" and ".txt" not in formats:
        raise UserError(
            f"--txt-documents {config.txt_documents}: no input is a .txt file", "leave it out"
        )
    if config.text_column != "text" and formats == {".txt"}:
        raise UserError(
            f"--text-column {config.text_column}: all inputs are .txt, which has no columns",
            "leave it out",
        )


def _hashed(found: Sequence[Source]) -> list[Input]:
    paths = [source.path for source in found if source.name != sources.STDIN]
    spooled = [source.path for source in found if source.name == sources.STDIN]
    return [
        *manifests.file_inputs("source", paths),
        *(Input("source", "", files.sha256(path), "stdin") for path in spooled),
    ]


def _write(folder: Path, found: Sequence[Source], config: CorpusConfig) -> Tally:
    tally = Tally()
    writers = {split: PartWriter(folder, split) for split in SPLITS}
    with bar("read bytes", sum(source.path.stat().st_size for source in found)) as progress:
        for split, document in _documents(found, config, tally, progress.advance):
            writers[split].add(document)
    for writer in writers.values():
        writer.flush()
    return tally


def _documents(
    found: Sequence[Source], config: CorpusConfig, tally: Tally, advance: Callable[[int], None]
) -> Iterator[tuple[Split, Document]]:
    seen: set[bytes] = set()
    for source in found:
        for raw in formats.texts(source, config, advance):
            text = clean(raw)
            if formats.UNDECODABLE.search(text):
                tally.dropped["undecodable"] += 1
            elif not text:
                tally.dropped["empty"] += 1
            elif (digest := fingerprint(text)) in seen:
                tally.dropped["duplicate"] += 1
            else:
                seen.add(digest)
                split = side(digest, config.valid_fraction)
                tally.keep(split, text)
                yield split, Document(digest.hex()[:16], text, source.name)


def _require_documents(facts: dict[str, Any]) -> None:
    if not facts["documents"]:
        raise UserError(
            f"nothing is left of {facts['read']:,} documents read ({_listed(facts['dropped'])})",
            "check --text-column, --encoding and the inputs; nothing was written",
        )


def _report(out: Path, facts: dict[str, Any]) -> None:
    say(
        f"{out}: {facts['documents']:,} of {facts['read']:,} documents kept, "
        f"{facts['lines']:,} lines, {facts['characters']:,} characters; "
        f"dropped: {_listed(facts['dropped'])}"
    )
    for split in SPLITS:
        if documents := facts[split]["documents"]:
            say(f"{split}: {documents:,} documents")
        else:
            say(f"{split}: empty, no document's hash falls there; see --valid-fraction")


def _listed(dropped: dict[str, int]) -> str:
    return ", ".join(f"{count:,} {reason}" for reason, count in dropped.items())
