"""The commands of the line, one after the other, as a person would type them."""

import shlex
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

from unmask.core import files
from unmask.core.errors import UserError
from unmask.core.progress import say
from unmask.demo.config import DemoConfig

PROMPTS = (
    "Return True if the object is a string, <mask> otherwise.",
    "The default <mask> is None.",
    "See the documentation <mask> more details.",
)
WEIGHTS = ("pretrained", "random")
SHORT_RUN = {
    # No block is seen twice, so there is nothing for dropout to prevent.
    "model.dropout": 0.0,
    "model.attention-dropout": 0.0,
    # More targets a step teach more in a few minutes (Wettig et al. 2022, section 3).
    "masking.probability": 0.4,
    # Small batches are noisy: average squared gradients for longer, and cut the outliers.
    "optim.beta2": 0.999,
    "optim.clip-norm": 1.0,
}
"""What differs from the paper's setting because minutes are not days."""


class Command(NamedTuple):
    """The words after `unmask`, and the file for its stdout if that is data."""

    words: list[str]
    stdout: Path | None = None


def commands(config: DemoConfig) -> Iterator[Command]:
    """Yield every stage in the order of the data."""
    out = config.out
    text, pretrained = out / "text", out / "pretrain" / "model"
    documents = {"inputs": text / "documents.jsonl", "valid-fraction": 0.03}
    folders = {"corpus": out / "corpus", "tokenizer": out / "tokenizer"}
    yield _command("corpus", documents | {"out": out / "corpus"})
    vocabulary = {"corpus": out / "corpus", "vocabulary": config.vocabulary}
    yield _command("tokenizer", vocabulary | {"out": out / "tokenizer"})
    yield _command("tokens", folders | {"out": out / "tokens"})
    yield _command("pretrain", _pretraining(config))
    for weights in WEIGHTS:
        yield _command("finetune", _finetuning(config, weights))
    held_out = {"data": text / "test.jsonl"}
    for weights in WEIGHTS:
        tuned = {"model": out / f"finetune-{weights}" / "model"}
        yield _command("evaluate", tuned | held_out, out / f"evaluate-{weights}.json")
    best = {"model": out / "finetune-pretrained" / "model"}
    yield _command("export", best | held_out | {"out": out / "export"})
    predict = ["predict", "--model", str(pretrained), "--text", *PROMPTS]
    yield Command(predict, out / "predict.jsonl")


def _pretraining(config: DemoConfig) -> dict[str, object]:
    return {
        "tokens": config.out / "tokens",
        "out": config.out / "pretrain",
        "model.layers": config.layers,
        "model.width": config.width,
        "model.heads": config.width // 64,
        "model.feed-forward": 4 * config.width,
        "model.max-length": config.length,
        "length": config.length,
        "batch": config.batch,
        "micro-batch": config.batch,
        "steps": config.steps,
        "warmup-steps": config.steps // 5,
        "optim.peak-lr": config.peak_lr,
        **SHORT_RUN,
        "evaluate-every": max(1, config.steps // 3),
        "checkpoint-every": max(1, config.steps // 3),
        "valid-blocks": 256,
        "seed": config.seed,
    }


def _finetuning(config: DemoConfig, weights: str) -> dict[str, object]:
    return {
        "data": config.out / "text",
        "model": config.out / "pretrain" / "model",
        "weights": weights,
        "out": config.out / f"finetune-{weights}",
        "epochs": config.epochs,
        "batch": 16,
        "dropout": 0.1,
        "optim.peak-lr": 3e-4,
        "seed": config.seed,
    }


def _command(stage: str, flags: Mapping[str, object], stdout: Path | None = None) -> Command:
    words = [word for name, value in flags.items() for word in (f"--{name}", str(value))]
    return Command([stage, *words], stdout)


def call(command: Command) -> None:
    """Run one command of unmask as its own process; its failure ends the demo."""
    words, stdout = command
    target = f" > {stdout}" if stdout else ""
    say(f"\n$ unmask {shlex.join(words)}{target}")
    done = subprocess.run(
        [sys.executable, "-m", "unmask", *words],
        stdout=subprocess.PIPE if stdout else None,
        check=False,
    )
    if done.returncode:
        raise UserError(
            f"unmask {words[0]} ended with exit code {done.returncode}",
            "its own message stands above; the demo goes on from there when run again",
        )
    if stdout:
        with files.atomic(stdout) as file:
            file.write(done.stdout)
