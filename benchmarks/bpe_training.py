"""Learning a byte-level BPE from a corpus folder, ours beside tokenizers' trainer, in turns.

    python benchmarks/bpe_training.py

Both are whole processes: from the corpus folder to a tokenizer on disk, on two cores, with the
same vocabulary. The two vocabularies are compared and must be equal.
"""

import json
import sys
import tempfile
from pathlib import Path

import processes
import results
import text
from results import spread

SIZE = 60 * text.MB
VOCABULARY = 32_768
ROUNDS = 3
PEER = Path(__file__).parent / "peers" / "tokenizers_training.py"


def main() -> None:
    """Measure both sides in turns and write the table."""
    seconds: dict[str, list[float]] = {"unmask tokenizer": [], "tokenizers' BpeTrainer": []}
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        origin = text.write(folder / "text.txt", SIZE)
        corpus, theirs = folder / "corpus", folder / "theirs.json"
        processes.unmask("corpus", "--inputs", folder / "text.txt", "--out", corpus)
        for round_ in range(ROUNDS):
            out = folder / f"tokenizer-{round_}"
            words = ("--corpus", corpus, "--vocabulary", VOCABULARY, "--out", out)
            ours_s = processes.unmask("tokenizer", *words).seconds
            peer = [sys.executable, str(PEER), str(corpus), str(VOCABULARY), str(theirs)]
            theirs_s = processes.run(peer).seconds
            for name, value in zip(seconds, (ours_s, theirs_s), strict=True):
                seconds[name].append(value)
        same = merges(out / "tokenizer.json") == merges(theirs)
    peers = seconds["tokenizers' BpeTrainer"]
    rows = [
        {
            "trainer": name,
            "seconds": spread(values, ".1f"),
            "time over tokenizers'": spread(
                [one / other for one, other in zip(values, peers, strict=True)], ".2f"
            ),
            "merges": "the same" if same else "NOT the same",
        }
        for name, values in seconds.items()
    ]
    results.write(
        "bpe-training",
        title="Learning a vocabulary",
        text=f"{VOCABULARY:,} ids from {SIZE // text.MB} MB of text ({origin}), corpus folder to "
        f"tokenizer file: the median of {ROUNDS} rounds in turns, and the range. The target is at "
        "most twice the time of tokenizers' own trainer, whose counts are 32-bit.",
        rows=rows,
        samples=seconds,
    )


def merges(path: Path) -> object:
    """The merges of a tokenizer.json, each as a pair."""
    listed = json.loads(path.read_text(encoding="utf-8"))["model"]["merges"]
    return [tuple(pair) for pair in listed]


if __name__ == "__main__":
    main()
