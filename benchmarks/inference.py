"""Inference of a base model beside what one would take instead: `make bench-infer`.

    python benchmarks/inference.py [--seconds 3] [--rounds 3] [--work runs/inference]

A RoBERTa-base with random weights (speed does not depend on what they are) is exported in each
number format; `unmask bench` measures export and peers in turns. A head for questions answers fixed
shapes, one for sentences answers 64 of them of ragged length. What `unmask bench` has measured is
kept in the work folder, and is not measured again.
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

from results import FOLDER, write
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
    kept = {
        (precision, head): flags.work / f"{precision}-{head}.json"
        for precision in EXPORTS
        for head in CASES
    }
    flags.work.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        for (precision, head), path in kept.items():
            if not path.exists():
                make_model(folder, head)
                shutil.copyfile(measured(folder, head, precision, flags) / "bench.json", path)
    benches = {key: json.loads(path.read_text(encoding="utf-8")) for key, path in kept.items()}
    rows = [row for (precision, _), found in benches.items() for row in _rows(precision, found)]
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
        samples={
            f"{precision} {head}": {
                name: found[name] for name in ("made", "machine", "seconds", "rounds", "peaks")
            }
            for (precision, head), found in benches.items()
        },
    )


def make_model(folder: Path, head: str) -> None:
    """Write a model folder, labelled data that its export is compared on, and some to calibrate."""
    dice = random.Random(0)
    words = ["".join(dice.choices("abcdefgh", k=dice.randint(2, 7))) for _ in range(300)]
    tokens = ["<s>", "<pad>", "</s>", "<unk>", *sorted(ByteLevel.alphabet()), "<mask>"]
    answers = head == QUESTIONS
    model = SpanExtractor(base()) if answers else SequenceClassifier(base(), ("no", "yes"))
    initialise(model, 0)
    weights.save(model, folder / head)
    byte_level_bpe({token: number for number, token in enumerate(tokens)}, []).save(folder / head)
    for path in data_of(folder, head):
        lines = [" ".join(dice.choices(words, k=6)) for _ in range(120)]
        rows = [{"text": line, "label": dice.choice(["no", "yes"])} for line in lines]
        asked = {"version": "1.1", "data": [_article(*one) for one in enumerate(lines)]}
        text = json.dumps(asked) if answers else "\n".join(map(json.dumps, rows))
        path.write_text(text, encoding="utf-8")


def data_of(folder: Path, head: str) -> tuple[Path, Path]:
    """Files of labelled data: to be compared on, and to calibrate."""
    ending = "json" if head == QUESTIONS else "jsonl"
    return folder / f"{head}.{ending}", folder / f"{head}-shown.{ending}"


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


def measured(folder: Path, head: str, precision: str, flags: argparse.Namespace) -> Path:
    """Export in one number format, and measure it beside its peers: the folder of the reports."""
    exported, out = folder / "export", folder / "bench"
    for old in (exported, out):
        shutil.rmtree(old, ignore_errors=True)
    data, shown = data_of(folder, head)
    task = ("--task", "squad" if head == QUESTIONS else "table", "--data", data)
    words = {"fp32": ("--tolerance", "0.001"), "int8": ("--calibration", shown)}.get(precision, ())
    export = ("export", "--model", folder / head, *task, "--out", exported, *EXPORTS[precision])
    _unmask(*export, *words, "--max-drop", "100")
    bench = ("bench", "--model", exported, "--peers-model", folder / head, *CASES[head])
    length = ("--seconds", flags.seconds, "--rounds", flags.rounds)
    _unmask(*bench, "--peers-only", *PEERS[precision], *length, "--out", out)
    return out


def _rows(precision: str, bench: dict[str, Any]) -> list[dict[str, Any]]:
    records = bench["records"]
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
    parser.add_argument("--work", type=Path, default=FOLDER.parents[1] / "runs/inference")
    return parser.parse_args()


if __name__ == "__main__":
    main()
