"""`unmask tokenizer`: a corpus, counted words or a vocabulary in, a tokenizer folder out."""

from pathlib import Path
from typing import Any

from unmask.core import config as configs
from unmask.core import manifests
from unmask.core.progress import say
from unmask.tokenizer import counts, counts_run, extend, imports
from unmask.tokenizer.config import TokenizerConfig
from unmask.tokenizer.tokenizer import Tokenizer
from unmask.tokenizer.train import build, train_on
from unmask.tokenizer.words import Words

STAGE = "tokenizer"


def run(config: TokenizerConfig) -> None:
    """Train, extend or import, and write the artifact."""
    given = config.import_from or config.extend
    source = imports.find(given) if given is not None else None
    inputs = _inputs(config, source)
    settings = configs.plain(config)
    if manifests.is_done(config.out, STAGE, settings, inputs, force=config.force):
        return
    with manifests.building(config.out, resume=_resume(config, inputs)) as folder:
        work = folder / manifests.WORK
        if source is None:
            tokenizer, facts = _train(config, work)
        elif config.extend is None:
            tokenizer = imports.read(source, lowercase=config.states_lowercase)
            facts = {"kind": source.kind}
        else:
            tokenizer, facts = _extend(config, imports.read(source), config.extend, work)
        tokenizer.save(folder)
        facts = {"vocabulary": tokenizer.vocabulary, "family": tokenizer.family, **facts}
        manifests.write(folder, STAGE, settings, inputs, facts)
    say(f"{config.out}: {tokenizer.vocabulary:,} ids, {tokenizer.family}, {facts['kind']}")


def _inputs(config: TokenizerConfig, source: imports.Source | None) -> list[manifests.Input]:
    if config.import_from is not None:
        assert source is not None
        return manifests.file_inputs("source", source.paths)
    inputs = []
    if config.extend is not None and (config.extend / manifests.NAME).exists():
        inputs.append(manifests.artifact_input("extended", config.extend, config.out))
    elif source is not None:
        inputs += manifests.file_inputs("extended", source.paths)
    if config.counts is not None:
        return [*inputs, manifests.artifact_input("counts", config.counts, config.out)]
    assert config.corpus is not None
    return [*inputs, manifests.artifact_input("corpus", config.corpus, config.out)]


def _resume(config: TokenizerConfig, inputs: list[manifests.Input]) -> str | None:
    """Name what a run that stopped leaves behind: the counts, which are good for any vocabulary."""
    if config.corpus is None:
        return None
    return manifests.identity(counts.STAGE, {}, [one for one in inputs if one.role == "corpus"])


def _train(config: TokenizerConfig, work: Path) -> tuple[Tokenizer, dict[str, Any]]:
    assert config.vocabulary is not None
    words, facts = _words(config, work)
    learnt = train_on(words, config.vocabulary)
    return build(learnt), {"kind": "trained", "merges": len(learnt.merges), **facts}


def _extend(
    config: TokenizerConfig, old: Tokenizer, folder: Path, work: Path
) -> tuple[Tokenizer, dict[str, Any]]:
    assert config.vocabulary is not None
    extend.refuse_unfit(old, config.vocabulary, of=folder)
    words, facts = _words(config, work)
    new = extend.extend(old, words, config.vocabulary)
    before, after = (extend.tokens_per_word(each, words) for each in (old, new))
    added = new.vocabulary - old.vocabulary
    say(
        f"{added:,} ids are new, {old.vocabulary:,} are those of {folder}; "
        f"a word takes {after:.3f} tokens where it took {before:.3f}"
    )
    told = {"new": added, "tokens_per_word_before": before, "tokens_per_word": after}
    return new, {"kind": "extended", **told, **facts}


def _words(config: TokenizerConfig, work: Path) -> tuple[Words, dict[str, Any]]:
    """Count and choose the words to learn from; the facts tell of those left out."""
    folder, found = _counted(config, work)
    chosen = counts.choose(folder / counts.NAME, config.min_count)
    if chosen.left_out:
        say(
            f"words seen less than {config.min_count} times are left out: {chosen.left_out:,} of "
            f"{found['distinct_words']:,}, which make up {chosen.left_out_share:.2%} of the text"
        )
    return chosen.words, {
        "distinct_words": found["distinct_words"],
        "words": found["words"],
        "min_count": config.min_count,
        "left_out_words": chosen.left_out,
        "left_out_share": chosen.left_out_share,
    }


def _counted(config: TokenizerConfig, work: Path) -> tuple[Path, dict[str, Any]]:
    """Find the folder of counts, or make it, and tell its facts."""
    if config.counts is not None:
        return config.counts, counts.find(config.counts).facts
    assert config.corpus is not None
    return work, counts_run.count(config.corpus, work, work, config)
