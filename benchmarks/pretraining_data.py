"""Real text as tokens, for the benchmarks that run `unmask pretrain`."""

import argparse
import dataclasses
from pathlib import Path

import processes
import text

from unmask.core import manifests


@dataclasses.dataclass(frozen=True, slots=True)
class Data:
    """What was made."""

    tokens: Path
    tokenizer: Path
    origin: str
    """What the text is, in words."""


def add_flags(parser: argparse.ArgumentParser, *, megabytes: int) -> None:
    """The flags that `prepare` reads."""
    parser.add_argument("--text", nargs="+", type=Path, help="files or folders of text")
    parser.add_argument("--origin", default="the text given", help="what that text is, in words")
    parser.add_argument(
        "--megabytes", type=int, default=megabytes, help="of text, where --text is left out"
    )
    parser.add_argument("--vocabulary", type=int, default=50_265)
    parser.add_argument("--length", type=int, default=128, help="tokens of a block")


def prepare(flags: argparse.Namespace, folder: Path) -> Data:
    """Run the data stages; what is done already is not done again.

    The blocks are those of run_mlm (plan hf): all full, so that nobody computes padding.
    """
    folder.mkdir(parents=True, exist_ok=True)
    corpus, tokenizer, tokens = (folder / name for name in ("corpus", "tokenizer", "tokens"))
    inputs, origin = flags.text, flags.origin
    if inputs is None:
        inputs = [folder / "text.txt"]
        origin = text.write(inputs[0], flags.megabytes * text.MB)
    processes.unmask("corpus", "--inputs", *inputs, "--out", corpus)
    vocabulary = ("--vocabulary", flags.vocabulary)
    processes.unmask("tokenizer", "--corpus", corpus, *vocabulary, "--out", tokenizer)
    plan = ("--plan", "hf", "--length", flags.length)
    processes.unmask("tokens", "--corpus", corpus, "--tokenizer", tokenizer, *plan, "--out", tokens)
    facts = manifests.read(tokens).facts
    return Data(tokens, tokenizer, f"{facts['train_tokens'] / 1e6:.1f} M tokens of {origin}")
