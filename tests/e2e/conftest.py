"""One tiny line, run once by the real command line, for every end-to-end test to look at."""

import json
import os
import random
import signal
import subprocess
import sys
from pathlib import Path

import pytest

# A shell lets what it starts in the background ignore Ctrl-C, and so would every process of a test.
signal.signal(signal.SIGINT, signal.default_int_handler)

NOUNS = ["cat", "dog", "bird", "fish", "horse", "mouse", "sheep", "goat", "cow", "hen"]
VERBS = ["sees", "hears", "finds", "likes", "follows", "meets", "calls", "helps"]
PLACES = ["garden", "house", "forest", "river", "field", "street", "market", "school"]

SHAPE = (
    *("--model.layers", "2", "--model.width", "32", "--model.heads", "2"),
    *("--model.feed-forward", "64", "--model.max-length", "32", "--length", "32"),
    *("--batch", "8", "--micro-batch", "4", "--warmup-steps", "2", "--optim.peak-lr", "3e-3"),
    *("--log-every", "5", "--precision", "fp32", "--device", "cpu"),
)


class CommandLine:
    """Runs `unmask` as a user does, in a folder of its own, without network or GPU."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.environment = os.environ | {
            "OMP_NUM_THREADS": "1",
            "CUDA_VISIBLE_DEVICES": "",
            "HF_HUB_OFFLINE": "1",
        }

    def __call__(self, *words, stdin="", limit_bytes=None):
        def limit():
            import resource

            resource.setrlimit(resource.RLIMIT_FSIZE, (limit_bytes, limit_bytes))

        return subprocess.run(
            self.command(*words),
            cwd=self.folder,
            env=self.environment,
            input=stdin,
            capture_output=True,
            text=True,
            timeout=120,
            preexec_fn=limit if limit_bytes else None,
            check=False,
        )

    def command(self, *words):
        return [sys.executable, "-m", "unmask", *map(str, words)]

    def good(self, *words, **more):
        done = self(*words, **more)
        assert done.returncode == 0, done.stderr
        return done

    def pretrain(self, *words):
        return self.good("pretrain", "--tokens", "tokens", *SHAPE, *words)


def sentence(dice):
    first, second = dice.sample(NOUNS, 2)
    return f"The {first} {dice.choice(VERBS)} the {second} in the {dice.choice(PLACES)}."


@pytest.fixture(scope="session")
def line(tmp_path_factory):
    """A folder in which every stage has run: corpus ... export."""
    folder = tmp_path_factory.mktemp("line")
    unmask = CommandLine(folder)
    dice = random.Random(0)
    documents = ["\n".join(sentence(dice) for _ in range(6)) for _ in range(240)]
    (folder / "text.txt").write_text("\n\n".join(documents) + "\n", encoding="utf-8")
    (folder / "task").mkdir()
    for split, count in (("train", 120), ("dev", 40), ("test", 40)):
        texts = [sentence(dice) for _ in range(count)]
        rows = [{"text": text, "label": "water" if "river" in text else "land"} for text in texts]
        rows[0] = {"text": "The cat sees the dog in the river.", "label": "water"}
        content = "".join(json.dumps(row) + "\n" for row in rows)
        (folder / "task" / f"{split}.jsonl").write_text(content, encoding="utf-8")
    unmask.good(*("corpus", "--inputs", "text.txt", "--out", "corpus", "--valid-fraction", "0.1"))
    unmask.good("tokenizer", "--corpus", "corpus", "--vocabulary", "300", "--out", "tokenizer")
    unmask.good("tokens", "--corpus", "corpus", "--tokenizer", "tokenizer", "--out", "tokens")
    unmask.pretrain(
        *("--out", "pretrain", "--steps", "20"),
        *("--evaluate-every", "10", "--checkpoint-every", "10"),
    )
    unmask.good(
        *("finetune", "--data", "task", "--model", "pretrain/model", "--out", "finetune"),
        *("--epochs", "3", "--optim.peak-lr", "3e-3", "--precision", "fp32", "--log-every", "4"),
        *("--restarts", "0"),
    )
    unmask.good(
        *("export", "--model", "finetune/model", "--data", "task/test.jsonl", "--out", "export")
    )
    return unmask


@pytest.fixture(scope="session")
def command_line():
    """Makes the command line of a folder."""
    return CommandLine


@pytest.fixture(scope="session")
def shape():
    """The flags of the tiny model."""
    return SHAPE
