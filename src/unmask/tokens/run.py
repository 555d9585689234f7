"""`unmask tokens`: a corpus and a tokenizer in, token shards out."""

from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from unmask.core import config as configs
from unmask.core import engine, manifests
from unmask.core.errors import UserError
from unmask.core.manifests import Output
from unmask.core.progress import say
from unmask.corpus import store
from unmask.corpus.split import SPLITS
from unmask.tokenizer.tokenizer import Tokenizer
from unmask.tokens import sentences
from unmask.tokens.config import TokensConfig
from unmask.tokens.plans.blocks import SpecialIds
from unmask.tokens.plans.choose import choose
from unmask.tokens.plans.plan import said
from unmask.tokens.read import map_shards
from unmask.tokens.write import ShardTask, write_shard

STAGE = "tokens"


def run(config: TokensConfig) -> None:
    """Encode both splits of the corpus, a part at a time; report the plan."""
    tokenizer = Tokenizer.load(config.tokenizer)
    if config.language is not None:
        sentences.require(config.language)
    settings = configs.plain(config)
    inputs = [
        manifests.artifact_input("corpus", config.corpus, config.out),
        manifests.artifact_input("tokenizer", config.tokenizer, config.out),
    ]
    if manifests.is_done(config.out, STAGE, settings, inputs, force=config.force):
        return
    identity = manifests.identity(STAGE, settings, inputs)
    with manifests.building(config.out, resume=identity) as folder:
        tasks = _tasks(config, folder)
        results = engine.each(
            write_shard,
            tasks,
            config,
            done=folder / manifests.WORK / "done",
            title="tokens",
            weights={name: task.part.stat().st_size for name, task in tasks.items()},
        )
        facts = _facts(config, tokenizer, results) | _plans(config, folder, tokenizer, results)
        hashed = [Output(**item) for result in results.values() for item in result["outputs"]]
        manifests.write(folder, STAGE, settings, inputs, facts, hashed=hashed)


def _tasks(config: TokensConfig, folder: Path) -> dict[str, ShardTask]:
    """Name a task for each part of the corpus: the shard it writes."""
    tasks = {}
    for split in SPLITS:
        for number, part in enumerate(store.parts(config.corpus, split)):
            stem = f"{split}-{number:05d}"
            tasks[stem] = ShardTask(
                part, folder, stem, config.tokenizer, config.sentences, config.language
            )
    return tasks


def _facts(
    config: TokensConfig, tokenizer: Tokenizer, results: Mapping[str, dict[str, Any]]
) -> dict[str, Any]:
    """Sum the counts of the shards, for the manifest and the user."""
    facts: dict[str, Any] = {
        "tokenizer": tokenizer.fingerprint,
        "vocabulary": tokenizer.vocabulary,
        "encoder": next((result["encoder"] for result in results.values()), None),
    }
    for split in SPLITS:
        counts = Counter(shards=0, documents=0, sentences=0, tokens=0, empty_documents=0)
        for name, result in results.items():
            if name.startswith(f"{split}-"):
                counts.update(shards=1, **result["counts"])
        facts |= {f"{split}_{name}": count for name, count in counts.items()}
        say(f"{split}: {', '.join(f'{count:,} {name}' for name, count in counts.items())}")
    if not facts["train_tokens"]:
        raise UserError(
            f"{config.corpus}: its train split gives no tokens", "give unmask corpus more text"
        )
    return facts


def _plans(
    config: TokensConfig, folder: Path, tokenizer: Tokenizer, results: Mapping[str, Any]
) -> dict[str, Any]:
    """Plan both splits and report what becomes of their text."""
    facts: dict[str, Any] = {"plan": config.plan, "length": config.length}
    for split in SPLITS:
        stems = [name for name in results if name.startswith(f"{split}-")]
        shards = map_shards(folder, stems, tokenizer.vocabulary)
        report = choose(config.plan, shards, config.length, SpecialIds.of(tokenizer)).report()
        facts[f"{split}_plan"] = report
        say(f"{split}: {said(config.plan, config.length, report)}")
    return facts
