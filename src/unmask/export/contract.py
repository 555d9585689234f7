"""What an export promises, and what it was measured by: `contract.json` and `contract.md`."""

import dataclasses
from pathlib import Path
from typing import Any

from unmask.core import files, machine
from unmask.export.config import ExportConfig
from unmask.export.int8.making import EightBits
from unmask.export.parity import Parity
from unmask.finetune.task import Scores
from unmask.infer.backend import weights_sha256
from unmask.model import weights

JSON, PAGE = "contract.json", "contract.md"


@dataclasses.dataclass(frozen=True, slots=True)
class Speed:
    """What one runtime needs."""

    sentences_per_s: float
    """In batches, each text with its own length."""
    latency_ms: float
    """For one text alone: the median."""


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class Contract:
    """Scores of source and export on the same data, and how far their answers differ."""

    metric: str
    data: str
    """What both were scored on."""
    source: Scores
    export: Scores
    drop: float
    """Points of the metric, of a hundred."""
    runtime: str
    """What ran the export for its score, and runs it by default: the faster one here."""
    ran: str
    """The same with its number format: a key of the speeds."""
    parity: Parity
    speeds: dict[str, Speed]
    """By runtime; torch is the source in fp32."""
    fused: dict[str, int]
    """ONNX Runtime's fused operators; none where it does not read the file."""
    eight_bits: EightBits | None

    def write(self, folder: Path, config: ExportConfig) -> None:
        """Write both files."""
        table = self._table(folder, config)
        files.write_json(folder / JSON, table)
        files.write_text(folder / PAGE, "\n".join(_page(table)) + "\n")

    def _table(self, folder: Path, config: ExportConfig) -> dict[str, Any]:
        names = sorted(path for path in folder.iterdir() if path.is_file())
        return {
            "to": config.to,
            "precision": config.precision,
            "shape": config.shape,
            "ints": config.ints,
            "data": self.data,
            "metric": self.metric,
            "scores": {"source": self.source, "export": self.export},
            "drop": self.drop,
            "max_drop": config.max_drop,
            "parity": dataclasses.asdict(self.parity),
            "runtime": self.runtime,
            "ran": self.ran,
            "speeds": {name: dataclasses.asdict(speed) for name, speed in self.speeds.items()},
            "fused": self.fused,
            "int8": None if self.eight_bits is None else _int8_table(self.eight_bits, config),
            "bytes": {path.name: path.stat().st_size for path in names},
            "sha256": {
                "source": weights.sha256(config.model),
                "export": weights_sha256(folder),
            },
            "machine": machine.describe(),
        }


def _int8_table(made: EightBits, config: ExportConfig) -> dict[str, Any]:
    return {
        **dataclasses.asdict(config.int8),
        "texts": made.texts,
        "levels": made.levels,
        "layers": len(made.found.plan),
        "share": made.found.share,
        "put_back": list(made.found.put_back),
        "migrated": [name for name, one in made.found.plan.items() if one.migration_I is not None],
        "ranking": [dataclasses.asdict(one) for one in made.ranking],
    }


def _page(table: dict[str, Any]) -> list[str]:
    """The contract for people."""
    shape, hashes, machine = table["shape"], table["sha256"], table["machine"]
    verdict, most = _verdict(table["drop"]), table["max_drop"]
    form = "any batch and length" if shape is None else f"batch {shape[0]}, length {shape[1]}"
    return [
        f"# Contract: {table['to']}, {table['precision']}, {form}",
        "",
        f"{verdict} of {table['metric']}; at most {most:g} may be lost.",
        "",
        *_scores(table),
        "",
        *_speeds(table),
        "",
        *_int8_page(table["int8"]),
        "| file | bytes |",
        "|---|---|",
        *(f"| {name} | {size:,} |" for name, size in table["bytes"].items()),
        "",
        f"Weights of the source: sha256 `{hashes['source']}`; of the export: `{hashes['export']}`.",
        "",
        f"Measured on {machine['cpu']}, {machine['cores']} cores.",
    ]


def _scores(table: dict[str, Any]) -> list[str]:
    scores, parity = table["scores"], table["parity"]
    return [
        f"Scored on `{table['data']}`: the source by torch in fp32, the export by "
        f"{table['ran']}.{_cut(table['shape'])}",
        "",
        "| score | source | export |",
        "|---|---|---|",
        *(
            f"| {name} | {scores['source'][name]:.4f} | {score:.4f} |"
            for name, score in scores["export"].items()
        ),
        "",
        f"Logits on {parity['compared']:,} rows of the same data: largest difference "
        f"{parity['max_difference']:.2e}, mean {parity['mean_difference']:.2e}, standard deviation "
        f"{parity['std_difference']:.2e}; as shares of the source's, largest "
        f"{parity['max_relative']:.2e}, mean {parity['mean_relative']:.2e}.{_choices(parity)}",
    ]


def _speeds(table: dict[str, Any]) -> list[str]:
    return [
        "| runtime | sentences/s | one alone, ms |",
        "|---|---|---|",
        *(
            f"| {name}{_remark(name, table)} "
            f"| {speed['sentences_per_s']:,.1f} | {speed['latency_ms']:.1f} |"
            for name, speed in table["speeds"].items()
        ),
        "",
        "One alone: the median. Sentences are windows or options where the task has those.",
    ]


def _int8_page(bits: dict[str, Any] | None) -> list[str]:
    if bits is None:
        return []
    back = set(bits["put_back"])
    return [
        f"{bits['layers']} linear layers, {bits['share']:.0%} of the encoder's, counted by work, "
        f"are in 8 bits: {_ranges(bits)}. Layers by the damage each does alone:",
        "",
        "| layer | damage | error of its output | |",
        "|---|---|---|---|",
        *(
            f"| {one['site']} | {one['damage']:.2e} | {one['output_error']:.2e} | "
            f"{'put back' if one['site'] in back else ''} |"
            for one in bits["ranking"]
        ),
        "",
    ]


def _verdict(drop: float) -> str:
    points = round(drop, 2)
    return f"The export {'gains' if points < 0 else 'loses'} {abs(points):.2f} points"


def _remark(name: str, table: dict[str, Any]) -> str:
    """What a runtime is to the export: the one it was scored with, the source, or another."""
    if name == table["ran"]:
        return " (the default)"
    return " (the source)" if name == next(iter(table["speeds"])) else ""


def _cut(shape: tuple[int, int] | None) -> str:
    """What a fixed length does to the texts: the source alone may do better on longer ones."""
    return "" if shape is None else f" Both read texts of at most {shape[1]} tokens."


def _choices(parity: dict[str, Any]) -> str:
    same = parity["same_argmax"]
    return "" if same is None else f" {same:.2%} of the choices are the same."


def _ranges(bits: dict[str, Any]) -> str:
    seen = f"over {bits['texts']} texts"
    if bits["activations"] == "dynamic":
        return f"inputs by the range of each batch, migrated by what was seen {seen}"
    return f"inputs by fixed ranges, {bits['range']} {seen}"
