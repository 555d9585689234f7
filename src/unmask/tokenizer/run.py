"""`unmask tokenizer`: a corpus, counted words or a vocabulary in, a tokenizer folder out."""

from pathlib import Path
from typing import Any

from unmask.core import config as configs
from unmask.core import manifests
from unmask.core.progress import say
from unmask.tokenizer import counts, counts_run, imports
from unmask.tokenizer.config import TokenizerConfig
from unmask.tokenizer.tokenizer import Tokenizer
from unmask.tokenizer.train import build, train_on

STAGE = "tokenizer"


def run(config: TokenizerConfig) -> None:
    """Train or import, and write the artifact."""
    source = imports.find(config.import_from) if config.import_from is not None else None
    inputs = _inputs(config, source)
    settings = configs.plain(config)
    if manifests.is_done(config.out, STAGE, settings, inputs, force=config.force):
        return
    with manifests.building(config.out, resume=_resume(config, inputs)) as folder:
        if source is not None:
            tokenizer = imports.read(source, lowercase=config.states_lowercase)
            facts: dict[str, Any] = {"kind": source.kind}
        else:
            tokenizer, facts = _train(config, folder / manifests.WORK)
        tokenizer.save(folder)
        facts = {"vocabulary": tokenizer.vocabulary, "family": tokenizer.family, **facts}
        manifests.write(folder, STAGE, settings, inputs, facts)
    say(f"{config.out}: {tokenizer.vocabulary:,} ids, {tokenizer.family}, {facts['kind']}")


def _inputs(config: TokenizerConfig, source: imports.Source | None) -> list[manifests.Input]:
    if source is not None:
        return manifests.file_inputs("source", source.paths)
    if config.counts is not None:
        return [manifests.artifact_input("counts", config.counts, config.out)]
    assert config.corpus is not None
    return [manifests.artifact_input("corpus", config.corpus, config.out)]


def _resume(config: TokenizerConfig, inputs: list[manifests.Input]) -> str | None:
    """Name what a run that stopped leaves behind: the counts, which are good for any vocabulary."""
    return manifests.identity(counts.STAGE, {}, inputs) if config.corpus is not None else None


def _train(config: TokenizerConfig, work: Path) -> tuple[Tokenizer, dict[str, Any]]:
    assert config.vocabulary is not None
    folder, found = _counted(config, work)
    chosen = counts.choose(folder / counts.NAME, config.min_count)
    if chosen.left_out:
        say(
            f"words seen less than {config.min_count} times are left out: {chosen.left_out:,} of "
            f"{found['distinct_words']:,}, which make up {chosen.left_out_share:.2%} of the text"
        )
    learnt = train_on(chosen.words, config.vocabulary)
    facts = {
        "kind": "trained",
        "merges": len(learnt.merges),
        "distinct_words": found["distinct_words"],
        "words": found["words"],
        "min_count": config.min_count,
        "left_out_words": chosen.left_out,
        "left_out_share": chosen.left_out_share,
    }
    return build(learnt), facts


def _counted(config: TokenizerConfig, work: Path) -> tuple[Path, dict[str, Any]]:
    """Find the folder of counts, or make it, and tell its facts."""
    if config.counts is not None:
        return config.counts, counts.find(config.counts).facts
    assert config.corpus is not None
    return work, counts_run.count(config.corpus, work, work, config)
