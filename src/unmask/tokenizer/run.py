"""`unmask tokenizer`: a corpus or a vocabulary in, a tokenizer folder out."""

from collections.abc import Iterator
from pathlib import Path

from unmask.core import config as configs
from unmask.core import manifests
from unmask.core.progress import say, track
from unmask.corpus import store
from unmask.tokenizer import imports
from unmask.tokenizer.config import TokenizerConfig
from unmask.tokenizer.tokenizer import Tokenizer
from unmask.tokenizer.train import train

STAGE = "tokenizer"


def run(config: TokenizerConfig) -> None:
    """Train or import, and write the artifact."""
    source = imports.find(config.import_from) if config.import_from is not None else None
    inputs = _inputs(config, source)
    settings = configs.plain(config)
    if manifests.is_done(config.out, STAGE, settings, inputs, force=config.force):
        return
    tokenizer = _make(config, source)
    facts = {
        "vocabulary": tokenizer.vocabulary,
        "family": tokenizer.family,
        "kind": source.kind if source else "trained",
    }
    with manifests.building(config.out) as folder:
        tokenizer.save(folder)
        manifests.write(folder, STAGE, settings, inputs, facts)
    say(f"{config.out}: {tokenizer.vocabulary:,} ids, {tokenizer.family}, {facts['kind']}")


def _inputs(config: TokenizerConfig, source: imports.Source | None) -> list[manifests.Input]:
    if source is not None:
        return manifests.file_inputs("source", source.paths)
    assert config.corpus is not None
    return [manifests.artifact_input("corpus", config.corpus, config.out)]


def _make(config: TokenizerConfig, source: imports.Source | None) -> Tokenizer:
    if source is not None:
        return imports.read(source, lowercase=config.states_lowercase)
    assert config.corpus is not None
    assert config.vocabulary is not None
    return train(_lines(config.corpus), config.vocabulary)


def _lines(corpus: Path) -> Iterator[str]:
    """Yield the lines of the train split, each stripped, as the tokens stage encodes them."""
    documents = store.documents(corpus, "train")
    for document in track(documents, "count words", store.count(corpus, "train")):
        for line in document.text.split("\n"):
            yield line.strip()
    say("learn merges")
