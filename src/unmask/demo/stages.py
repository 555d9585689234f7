"""The commands of the line, one after the other, as a person would type them."""

import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

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


def commands(config: DemoConfig) -> Iterator[tuple[list[str], Path | None]]:
    """Yield (words after `unmask`, file for its stdout) for every stage."""
    out = config.out
    text, model = out / "text", out / "pretrain" / "model"
    corpus = ["--inputs", f"{text}/documents.jsonl", "--valid-fraction", "0.03"]
    yield ["corpus", *corpus, "--out", f"{out}/corpus"], None
    vocabulary = ["--vocabulary", f"{config.vocabulary}"]
    yield (
        [
            *("tokenizer", "--corpus", f"{out}/corpus"),
            *(*vocabulary, "--out", f"{out}/tokenizer"),
        ],
        None,
    )
    yield (
        [
            *("tokens", "--corpus", f"{out}/corpus", "--tokenizer", f"{out}/tokenizer"),
            *("--out", f"{out}/tokens"),
        ],
        None,
    )
    yield _pretrain(config), None
    for weights in WEIGHTS:
        yield _finetune(config, weights), None
    for weights in WEIGHTS:
        tuned = f"{out}/finetune-{weights}/model"
        words = ["evaluate", "--model", tuned, "--data", f"{text}/test.jsonl"]
        yield words, out / f"evaluate-{weights}.json"
    yield (
        [
            *("export", "--model", f"{out}/finetune-pretrained/model"),
            *("--data", f"{text}/test.jsonl", "--out", f"{out}/export"),
        ],
        None,
    )
    yield ["predict", "--model", f"{model}", "--text", *PROMPTS], out / "predict.jsonl"


def _pretrain(config: DemoConfig) -> list[str]:
    flags = {
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
    return ["pretrain", *_words(flags)]


def _finetune(config: DemoConfig, weights: str) -> list[str]:
    flags = {
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
    return ["finetune", *_words(flags)]


def _words(flags: dict[str, object]) -> list[str]:
    return [word for name, value in flags.items() for word in (f"--{name}", str(value))]


def call(words: list[str], stdout: Path | None) -> None:
    """Run one command of unmask as its own process; its failure ends the demo."""
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
