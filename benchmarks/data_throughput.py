"""Text to training tokens, ours beside the Hugging Face path, in turns.

    python benchmarks/data_throughput.py

Theirs is what run_mlm does: `load_dataset("text")`, `map` with the tokenizer, `map` with
`group_texts`, in a fresh cache, with two processes or with the tokenizer's own threads, whichever
is faster. Ours is `unmask corpus` and `unmask tokens`. The tokenizer is the same.
"""

import json
import statistics
import sys
import tempfile
from pathlib import Path

import processes
import results
import text
from results import spread

from unmask.core import manifests

SIZE = 64 * text.MB
ROUNDS = 3
VOCABULARY = 32_768
PEER = Path(__file__).parent / "peers" / "hugging_face_data.py"
WAYS = {"two processes": "2", "threads": "none"}


def main() -> None:
    """Measure both sides in turns and write the table."""
    samples: dict[str, list[dict[str, float]]] = {"unmask": [], **{way: [] for way in WAYS}}
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        origin = text.write(folder / "text.txt", SIZE)
        _tokenizer(folder)
        for round_ in range(ROUNDS):
            samples["unmask"].append(_ours(folder, round_))
            for way, flag in WAYS.items():
                samples[way].append(_theirs(folder, flag))
    best = max(WAYS, key=lambda way: statistics.median(_column(samples[way], "tokens_per_s")))
    rows = [
        _row("unmask corpus + tokens", samples["unmask"], samples[best]),
        *(_row(f"Hugging Face, {way}", samples[way], samples[best]) for way in WAYS),
    ]
    results.write(
        "data-throughput",
        title="Text to training tokens",
        text=f"{SIZE // text.MB} MB of text ({origin}) to training blocks, from the text file to "
        f"the last byte on disk: the median of {ROUNDS} rounds in turns, and the range. `whole` "
        "is everything; `encode` leaves out cleaning and splitting on our side and loading the "
        "text on theirs. The ratio is that to the faster way of Hugging Face.",
        rows=rows,
        samples=samples,
    )


def _tokenizer(folder: Path) -> None:
    processes.unmask("corpus", "--inputs", folder / "text.txt", "--out", folder / "corpus")
    processes.unmask(
        *("tokenizer", "--corpus", folder / "corpus", "--vocabulary", VOCABULARY),
        *("--out", folder / "tokenizer"),
    )


def _ours(folder: Path, round_: int) -> dict[str, float]:
    corpus, out = folder / f"corpus-{round_}", folder / f"tokens-{round_}"
    clean = processes.unmask("corpus", "--inputs", folder / "text.txt", "--out", corpus)
    encode = processes.unmask(
        *("tokens", "--corpus", corpus, "--tokenizer", folder / "tokenizer", "--out", out)
    )
    manifest = manifests.read(out)
    tokens = manifest.facts["train_tokens"] + manifest.facts["valid_tokens"]
    disk = sum(output.bytes for output in manifest.outputs)
    return _figures(tokens, clean.seconds + encode.seconds, encode.seconds, disk)


def _theirs(folder: Path, processes_: str) -> dict[str, float]:
    words = [str(folder / "text.txt"), str(folder / "tokenizer"), processes_]
    measured = processes.run([sys.executable, str(PEER), *words])
    told = json.loads(measured.stdout.splitlines()[-1])
    return _figures(told["tokens"], measured.seconds, told["map_s"], told["bytes"])


def _figures(tokens: int, whole_s: float, encode_s: float, disk: int) -> dict[str, float]:
    return {
        "tokens_per_s": tokens / whole_s,
        "encode_tokens_per_s": tokens / encode_s,
        "bytes_per_token": disk / tokens,
    }


def _row(name: str, ours: list[dict[str, float]], peer: list[dict[str, float]]) -> dict[str, str]:
    def ratio(column: str) -> str:
        pairs = zip(_column(ours, column), _column(peer, column), strict=True)
        return spread([one / other for one, other in pairs], ".2f")

    return {
        "path": name,
        "whole, tokens/s": spread(_column(ours, "tokens_per_s"), ",.0f"),
        "ratio": ratio("tokens_per_s"),
        "encode, tokens/s": spread(_column(ours, "encode_tokens_per_s"), ",.0f"),
        "ratio of encode": ratio("encode_tokens_per_s"),
        "bytes a token": f"{statistics.median(_column(ours, 'bytes_per_token')):.3f}",
    }


def _column(rows: list[dict[str, float]], name: str) -> list[float]:
    return [row[name] for row in rows]


if __name__ == "__main__":
    main()
