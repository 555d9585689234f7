"""Text of any size for the benchmarks: real documents, repeated and perturbed."""

import gzip
import os
import random
from pathlib import Path

from unmask.demo import text as python_docs

ROOT = Path(__file__).parents[1]
SHARED = Path(os.environ.get("UNMASK_DATA", ROOT.parent / "shared" / "data"))
MB = 1 << 20


def write(path: Path, size: int) -> str:
    """Write a .txt file of about `size` bytes, a blank line between documents; say its origin.

    Every round over the documents swaps one word in eight with another of the same document, so
    that no document is a repeat of another and vocabulary and statistics stay real.
    """
    documents, origin = _documents()
    dice = random.Random(0)
    written = 0
    with path.open("w", encoding="utf-8") as file:
        round_ = 0
        while True:
            for document in documents:
                if written >= size:
                    return origin
                text = document if round_ == 0 else _perturbed(document, dice)
                file.write(text + "\n\n")
                written += len(text.encode()) + 2
            round_ += 1


def _perturbed(document: str, dice: random.Random) -> str:
    lines = []
    for line in document.split("\n"):
        words = line.split(" ")
        for _ in range(len(words) // 8):
            one, other = dice.randrange(len(words)), dice.randrange(len(words))
            words[one], words[other] = words[other], words[one]
        lines.append(" ".join(words))
    return "\n".join(lines)


def _documents() -> tuple[list[str], str]:
    wiki = SHARED / "wiki_en" / "train.txt.gz"
    if wiki.exists():
        with gzip.open(wiki, "rt", encoding="utf-8") as file:
            return file.read().strip().split("\n\n"), "English Wikipedia"
    modules = python_docs.read(python_docs.installed(), 12_000_000, 0)
    return [module.text for module in modules], "the documentation of the installed Python"
