"""Inference of a base model beside what one would take instead: `make bench-infer`.

    python benchmarks/inference.py [--seconds 3] [--rounds 3] [--only fp32 bf16 int8]

A RoBERTa-base with random weights (speed does not depend on what they are) is exported in each
number format; `unmask bench` measures export and peers in turns. A head for questions answers fixed
shapes, one for sentences answers 64 of them of ragged length.
"""

import argparse
import json
import random
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from results import write
from tokenizers.pre_tokenizers import ByteLevel

from unmask.model import weights
from unmask.model.config import ModelConfig
from unmask.model.heads import SequenceClassifier, SpanExtractor
from unmask.model.init import initialise
from unmask.tokenizer.build import byte_level_bpe

RESULT = "inference-cpu"
EXPORTS = {
    "fp32": ("--to", "openvino"),
    "bf16": ("--to", "openvino", "--precision", "bf16"),
    "int8": ("--to", "onnx", "--precision", "int8"),
}
PEERS = {
    "fp32": ("transformers-fp32", "compiled-fp32", "onnxruntime-fp32", "openvino-fp32"),
    "bf16": ("transformers-fp32", "transformers-bf16", "compiled-bf16", "openvino-bf16"),
    "int8": ("transformers-fp32", "onnxruntime-int8"),
}
FIXED = ("--batch", "1", "8", "--length", "128", "384")
RAGGED = ("--ragged", "64")
QUESTIONS, SENTENCES = "questions", "sentences"
CASES = {QUESTIONS: FIXED, SENTENCES: RAGGED}
OURS = "unmask"


def main() -> None:
    """Make the models, measure, and write the result."""
    flags = _flags()
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        make_models(folder)
        rows = [
            row
            for precision in flags.only
            for head, cases in CASES.items()
            for row in measured(folder, head, cases, precision, flags)
        ]
    text = (
        "Sentences a second and milliseconds a request on two cores: the median of the rounds and "
        "their range, our export and the peers in turns. The ratio is ours to theirs. Fixed shapes "
        "have no padding; `ragged` is 64 sentences at once, of 30 tokens on average and at most "
        "128. A card: not measured."
    )
    write(
        RESULT,
        title="Inference of RoBERTa-base beside its peers",
        text=text,
        rows=rows,
        samples={"seconds": flags.seconds, "rounds": flags.rounds},
    )


def make_models(folder: Path) -> None:
    """Write a model folder for each head, and labelled data that its export is compared on."""
    dice = random.Random(0)
    words = ["".join(dice.choices("abcdefgh", k=dice.randint(2, 7))) for _ in range(300)]
    lines = [" ".join(dice.choices(words, k=6)) for _ in range(120)]
    tokens = ["<s>", "<pad>", "</s>", "<unk>", *sorted(ByteLevel.alphabet()), "<mask>"]
    tokenizer = byte_level_bpe({token: number for number, token in enumerate(tokens)}, [])
    for head, model in (
        (QUESTIONS, SpanExtractor(base())),
        (SENTENCES, SequenceClassifier(base(), ("no", "yes"))),
    ):
        initialise(model, 0)
        weights.save(model, folder / head)
        tokenizer.save(folder / head)
    rows = [{"text": line, "label": dice.choice(["no", "yes"])} for line in lines]
    (folder / f"{SENTENCES}.jsonl").write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    asked = [_article(number, line) for number, line in enumerate(lines)]
    (folder / f"{QUESTIONS}.json").write_text(
        json.dumps({"version": "1.1", "data": asked}), encoding="utf-8"
    )


def base() -> ModelConfig:
    """RoBERTa-base (Liu et al. 2019)."""
    return ModelConfig(
        family="roberta",
        vocabulary=50265,
        layers=12,
        width=768,
        heads=12,
        feed_forward=3072,
        types=1,
        norm_eps=1e-5,
        pad_id=1,
    )


def measured(
    folder: Path, head: str, cases: tuple[str, ...], precision: str, flags: argparse.Namespace
) -> list[dict[str, Any]]:
    """Export in one number format, measure it and its peers, and lay the records out as rows."""
    exported, out = folder / "export", folder / "bench"
    data = folder / (f"{head}.json" if head == QUESTIONS else f"{head}.jsonl")
    task = ("--task", "squad") if head == QUESTIONS else ("--task", "table")
    tolerance = ("--tolerance", "0.001") if precision == "fp32" else ()
    export = ("export", "--model", folder / head, *task, "--data", data, "--out", exported)
    _unmask(*export, *EXPORTS[precision], *tolerance, "--max-drop", "100")
    bench = ("bench", "--model", exported, "--peers-model", folder / head, "--out", out, *cases)
    length = ("--seconds", flags.seconds, "--rounds", flags.rounds)
    _unmask(*bench, "--peers-only", *PEERS[precision], *length)
    records = json.loads((out / "bench.json").read_text(encoding="utf-8"))["records"]
    shutil.rmtree(exported)
    shutil.rmtree(out)
    ours = {one["case"]: one for one in records if one["engine"] == OURS}
    return [_row(precision, record, ours[record["case"]]) for record in records]


def _row(precision: str, record: dict[str, Any], ours: dict[str, Any]) -> dict[str, Any]:
    rate, best = record["sentences_per_s"], ours["sentences_per_s"]
    share = record["peak_share"]
    return {
        "format": precision,
        "case": record["case"],
        "engine": record["engine"],
        "runs on": record["runtime"],
        "sentences/s": _range(rate, 1),
        "p50 ms": _range(record["latency_ms"]["p50"], 1),
        "p99 ms": _range(record["latency_ms"]["p99"], 1),
        "ours to it": f"{best['median'] / rate['median']:.2f}",
        "share of the peak": "" if share is None else f"{share:.0%}",
        "memory": f"{record['peak_bytes'] / 1e6:,.0f} MB",
    }


def _range(spread: dict[str, float], digits: int) -> str:
    low, middle, high = (f"{spread[key]:,.{digits}f}" for key in ("low", "median", "high"))
    return f"{middle} ({low} to {high})"


def _article(number: int, line: str) -> dict[str, Any]:
    answer = {"text": line.split()[0], "answer_start": 0}
    question = {"id": str(number), "question": line.split()[1] + "?", "answers": [answer]}
    return {"title": str(number), "paragraphs": [{"context": line, "qas": [question]}]}


def _unmask(*words: object) -> None:
    subprocess.run([sys.executable, "-m", "unmask", *map(str, words)], check=True)


def _flags() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=3.0)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--only", nargs="+", choices=list(EXPORTS), default=list(EXPORTS))
    return parser.parse_args()


if __name__ == "__main__":
    main()
