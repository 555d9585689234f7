"""What 8 bits cost and bring on real tasks: fine-tuned models, exported in fp32 and in 8 bits.

    python benchmarks/int8_tasks.py --data FOLDER [--models runs/tasks]

The models are those that task_scores.py leaves behind; FOLDER holds the public data. Each task's
whole dev set is scored through both exports by `unmask evaluate`; sentences of it, 256 at a time,
are run through both in turns by `unmask bench`.
"""

import argparse
import gzip
import json
import shutil
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import results
from results import spread
from task_cases import Case, cases

from unmask.core import files

TASKS = ("SST-2", "CoNLL-2003", "People's Daily", "SQuAD 1.1")
EXPORTS = {
    "fp32": ("--to", "openvino", "--tolerance", "0.001"),
    "int8": ("--to", "onnx", "--precision", "int8", "--max-drop", "0.3"),
}
SENTENCES = 1024
TURNS = 3


def main() -> None:
    """Export, score and measure every task, and write the table."""
    flags = _flags()
    chosen = {case.name: case for case in cases() if case.name in TASKS}
    rows: list[dict[str, Any]] = []
    samples: dict[str, Any] = {}
    for name in TASKS:
        row, contract = compared(chosen[name], flags)
        rows.append(row)
        samples[name] = contract
    results.write(
        "int8-tasks",
        title="8 bits on real tasks",
        text="The small models of the table of tasks, exported in fp32 for OpenVINO and in 8 bits "
        "with at most 0.3 points to lose. Scores are of the whole dev set, by `unmask "
        "evaluate` on the export; `contract` is the loss that the export's own contract states, "
        "from the fine-tuned model in torch. Sentences a second: of dev, 256 at a time, both in "
        "turns on two cores; the median of three and their range.",
        rows=rows,
        samples=samples,
        command="python benchmarks/int8_tasks.py --data FOLDER",
    )


def _flags() -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    parser.add_argument("--data", type=Path, required=True, help="folder of the public data")
    parser.add_argument("--models", type=Path, default=results.FOLDER.parents[1] / "runs/tasks")
    return parser.parse_args()


def compared(case: Case, flags: argparse.Namespace) -> tuple[dict[str, Any], dict[str, Any]]:
    """One task's row, and the contract of its export."""
    model = flags.models / f"{case.name.replace(' ', '-')}-pretrained" / "model"
    data = case.data(flags.data, flags.models / "data")
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        lines = folder / "lines.txt"
        lines.write_text("\n".join(sentences(case, data)) + "\n", encoding="utf-8")
        scores: dict[str, float] = {}
        rates: dict[str, list[float]] = {precision: [] for precision in EXPORTS}
        for precision, words in EXPORTS.items():
            out = folder / precision
            _unmask("export", "--model", model, "--out", out, *words)
            scores[precision] = case.percent * _scored(case, out, data)
        for _ in range(TURNS):
            for precision, found in rates.items():
                found.append(_rate(folder / precision, lines, folder / "bench"))
        contract = files.read_json(folder / "int8" / "contract.json")
        del contract["data"]  # where it lies here is of no use elsewhere
    fp32, int8 = rates["fp32"], rates["int8"]
    eight = contract["int8"]
    row = {
        "task": case.name,
        "metric": case.metric,
        "fp32": f"{scores['fp32']:.2f}",
        "int8": f"{scores['int8']:.2f}",
        "int8 loses": f"{scores['fp32'] - scores['int8']:+.2f}",
        "contract": f"{contract['drop']:+.2f}",
        "products in 8 bits": f"{eight['share']:.0%}",
        "fp32 sentences/s": spread(fp32, ",.0f"),
        "int8 sentences/s": spread(int8, ",.0f"),
        "ratio": f"{statistics.median(int8) / statistics.median(fp32):.2f}",
    }
    return row, contract


def sentences(case: Case, data: Path) -> list[str]:
    """Texts of dev, as they are read from the task's own file."""
    match case.name:
        case "SST-2":
            lines = _text(data / "dev.tsv.gz").splitlines()[1:]
            found = [line.split("\t")[0] for line in lines]
        case "SQuAD 1.1":
            articles = json.loads(_text(data))["data"]
            found = [one["context"] for article in articles for one in article["paragraphs"]]
        case "CoNLL-2003":
            found = _joined(_text(data / "eng.testa.gz"), " ")
        case _:
            found = _joined(_text(data / "example.dev"), "")
    return [" ".join(one.split()) for one in found[:SENTENCES]]


def _text(path: Path) -> str:
    packed = path.suffix == ".gz"
    return (gzip.decompress(path.read_bytes()) if packed else path.read_bytes()).decode()


def _joined(text: str, space: str) -> list[str]:
    """The sentences of a file with a word a line."""
    blocks = (block.split("\n") for block in text.split("\n\n"))
    words = ([line.split()[0] for line in block if line.strip()] for block in blocks)
    return [space.join(one) for one in words if one and one != ["-DOCSTART-"]]


def _scored(case: Case, model: Path, data: Path) -> float:
    entities = [word for word in case.words if word.startswith("--entities")]
    done = _unmask("evaluate", "--model", model, "--data", data, "--split", "dev", *entities)
    return float(json.loads(done)[case.metric])


def _rate(model: Path, lines: Path, out: Path) -> float:
    """Sentences a second, on what the export's contract found fastest."""
    shutil.rmtree(out, ignore_errors=True)
    once = ("--seconds", 3, "--rounds", 1)
    _unmask("bench", "--model", model, "--data", lines, "--ragged", 256, *once, "--out", out)
    (record,) = files.read_json(out / "bench.json")["records"]
    return float(record["sentences_per_s"]["median"])


def _unmask(*words: object) -> bytes:
    command = [sys.executable, "-m", "unmask", *map(str, words)]
    print(f"$ {' '.join(command[2:])}", file=sys.stderr, flush=True)
    return subprocess.run(command, stdout=subprocess.PIPE, check=True).stdout


if __name__ == "__main__":
    main()
