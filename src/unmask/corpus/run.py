"""`unmask corpus`: find the inputs, make the passes, write the manifest, report."""

import tempfile
from collections.abc import Sequence
from concurrent import futures
from pathlib import Path
from typing import Any

from unmask.core import config as configs
from unmask.core import engine, locations, manifests
from unmask.core.errors import UserError
from unmask.core.manifests import Input
from unmask.core.progress import say, track
from unmask.corpus.config import CorpusConfig
from unmask.corpus.duplicates import signatures
from unmask.corpus.inputs import sources
from unmask.corpus.inputs.sources import STDIN, Source
from unmask.corpus.passes import Passes
from unmask.corpus.quality import dropped, language
from unmask.corpus.split import SPLITS
from unmask.corpus.store import STAGE


def run(config: CorpusConfig) -> None:
    """Make the corpus folder; UserError for inputs that cannot be read or hold nothing."""
    with tempfile.TemporaryDirectory() as scratch:
        found = sources.find(config.inputs, out=config.out, scratch=Path(scratch))
        _refuse_idle_settings(found, config)
        _require_extras(config)
        inputs = _hashed(found, config.workers or engine.cores())
        settings = configs.plain(config)
        if manifests.is_done(config.out, STAGE, settings, inputs, force=config.force):
            return
        identity = manifests.identity(STAGE, settings, inputs)
        with manifests.building(config.out, resume=identity) as folder:
            outcome = Passes(folder, folder / manifests.WORK, config).run(found)
            _require_documents(outcome.facts)
            facts = outcome.facts
            manifests.write(folder, STAGE, settings, inputs, facts, hashed=outcome.outputs)
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
    if config.address is not None and any(source.name == STDIN for source in found):
        raise UserError(
            "--inputs -: the workers of a Ray cluster cannot read this machine's standard input",
            "write it to a file that they see, or leave --address out",
        )


def _require_extras(config: CorpusConfig) -> None:
    """Fail now for what would be missing only after hours."""
    if config.filters.languages:
        language.require(config.filters.languages)
    if config.near_duplicates is not None:
        signatures.banding(config.near_duplicates)


def _hashed(found: Sequence[Source], threads: int) -> list[Input]:
    with futures.ThreadPoolExecutor(threads) as pool:
        hashes = pool.map(sources.identity, found)
        return [
            _input(source, digest)
            for source, digest in zip(found, track(hashes, "hash inputs", len(found)), strict=True)
        ]


def _input(source: Source, digest: str) -> Input:
    if source.name == STDIN:
        return Input("source", "", digest, "stdin")
    path = source.path if locations.is_remote(source.path) else source.path.resolve()
    return Input("source", str(path), digest, "file")


def _require_documents(facts: dict[str, Any]) -> None:
    if not facts["documents"]:
        raise UserError(
            f"nothing is left of {facts['read']:,} documents read ({_listed(facts['dropped'])})",
            "check --text-column, --encoding, the filters and the inputs; nothing was written",
        )


def _report(out: Path, facts: dict[str, Any]) -> None:
    say(
        f"{out}: {facts['documents']:,} of {facts['read']:,} documents kept, "
        f"{facts['lines']:,} lines, {facts['characters']:,} characters; "
        f"dropped: {_listed(facts['dropped'])}"
    )
    if (out / dropped.NAME).exists():
        say(f"{out / dropped.NAME}: some of what was dropped, by reason")
    for split in SPLITS:
        if documents := facts[split]["documents"]:
            say(f"{split}: {documents:,} documents")
        else:
            say(f"{split}: empty, no document's hash falls there; see --valid-fraction")


def _listed(counts: dict[str, int]) -> str:
    return ", ".join(f"{count:,} {reason.replace('_', ' ')}" for reason, count in counts.items())
