"""What the demo shows at its end, read from the artifacts it made."""

import dataclasses
import json
from pathlib import Path
from typing import Any

from rich.table import Table

from unmask.core import files, manifests
from unmask.core.runs import Run
from unmask.demo.config import DemoConfig


@dataclasses.dataclass(frozen=True, slots=True)
class Outcome:
    """The numbers of a finished demo."""

    start: dict[str, Any]
    end: dict[str, Any]
    pretrained: dict[str, Any]
    random: dict[str, Any]
    contract: dict[str, Any]
    filled: list[dict[str, Any]]
    labels: int
    model: Path

    @classmethod
    def read(cls, config: DemoConfig) -> "Outcome":
        """Read metrics, scores and contract."""
        out = config.out
        rows = [row for row in Run(out / "pretrain").metrics() if row["kind"] == "valid"]
        return cls(
            start=rows[0],
            end=rows[-1],
            pretrained=files.read_json(out / "evaluate-pretrained.json"),
            random=files.read_json(out / "evaluate-random.json"),
            contract=files.read_json(out / "export" / "contract.json"),
            filled=[json.loads(line) for line in (out / "predict.jsonl").read_text().splitlines()],
            labels=len(manifests.read(out / "text").facts["classes"]),
            model=out / "pretrain" / "model",
        )

    @property
    def gain(self) -> float:
        """Accuracy with pretraining minus accuracy without."""
        return float(self.pretrained["accuracy"] - self.random["accuracy"])


def table(outcome: Outcome, seconds: float) -> Table:
    """Lay the outcome out for a terminal."""
    rows = Table(title="unmask demo", show_header=False, title_justify="left")
    start, end = outcome.start, outcome.end
    rows.add_row("MLM loss on held-out blocks", f"{start['loss']:.3f} -> {end['loss']:.3f}")
    rows.add_row("perplexity", f"{start['perplexity']:,.1f} -> {end['perplexity']:,.1f}")
    rows.add_row("masked accuracy", f"{start['accuracy']:.1%} -> {end['accuracy']:.1%}")
    rows.add_section()
    tested = f"{outcome.random['examples']:,} held-out passages, {outcome.labels} labels"
    rows.add_row("accuracy from random weights", f"{outcome.random['accuracy']:.1%}  ({tested})")
    rows.add_row(
        "accuracy from pretrained weights",
        f"{outcome.pretrained['accuracy']:.1%}  ({outcome.gain:+.1%})",
    )
    rows.add_section()
    worst = outcome.contract["parity"]["max_difference"]
    rows.add_row("ONNX, max |difference|", f"{worst:.1e}")
    for name, speed in outcome.contract["speeds"].items():
        rows.add_row(f"sentences/s, {name}", f"{speed['sentences_per_s']:,.0f}")
    rows.add_section()
    for number, answer in enumerate(outcome.filled, start=1):
        rows.add_row(f"filled mask {number}", f"{answer['text']}\n  {_candidates(answer)}")
    rows.add_section()
    rows.add_row("model folder", str(outcome.model))
    rows.add_row("time", f"{seconds:,.0f} s")
    return rows


def _candidates(answer: dict[str, Any]) -> str:
    """The three likeliest tokens of the first mask."""
    best = answer["masks"][0][:3]
    return ", ".join(f"{item['token'].strip()!r} {item['probability']:.0%}" for item in best)
