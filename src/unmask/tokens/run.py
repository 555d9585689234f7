"""`unmask tokens`: a corpus and a tokenizer in, token shards out."""

from collections import Counter
from pathlib import Path

from unmask.core import config as configs
from unmask.core import manifests
from unmask.core.errors import UserError
from unmask.core.progress import bar, say
from unmask.corpus import store
from unmask.corpus.split import Split
from unmask.tokenizer.tokenizer import Tokenizer
from unmask.tokens.config import TokensConfig
from unmask.tokens.write import ShardWriter, encode

STAGE = "tokens"
SPLITS: tuple[Split, ...] = ("train", "valid")


def run(config: TokensConfig) -> None:
    """Encode both splits of the corpus and write the tokens folder."""
    tokenizer = Tokenizer.load(config.tokenizer)
    settings = configs.plain(config)
    inputs = [
        manifests.artifact_input("corpus", config.corpus, config.out),
        manifests.artifact_input("tokenizer", config.tokenizer, config.out),
    ]
    if manifests.is_done(config.out, STAGE, settings, inputs, force=config.force):
        return
    facts: dict[str, object] = {
        "tokenizer": tokenizer.fingerprint,
        "vocabulary": tokenizer.vocabulary,
    }
    with manifests.building(config.out) as folder:
        for split in SPLITS:
            counts = _write(config, folder, split, tokenizer)
            facts |= {f"{split}_{name}": count for name, count in counts.items()}
            say(f"{split}: {_summary(counts)}")
        if not facts["train_tokens"]:
            raise UserError(
                f"{config.corpus}: its train split gives no tokens", "give unmask corpus more text"
            )
        manifests.write(folder, STAGE, settings, inputs, facts)


def _write(config: TokensConfig, folder: Path, split: Split, tokenizer: Tokenizer) -> Counter[str]:
    writer = ShardWriter(folder, split, tokenizer.vocabulary, config.shard_tokens)
    with bar(f"tokens: {split}", store.count(config.corpus, split)) as progress:
        for sentences in encode(store.documents(config.corpus, split), tokenizer, progress):
            writer.add(sentences)
    writer.flush()
    return writer.counts


def _summary(counts: Counter[str]) -> str:
    return ", ".join(f"{count:,} {name}" for name, count in counts.items())
