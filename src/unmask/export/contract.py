"""What an export promises, and what it was measured by: `contract.json` and `contract.md`."""

import dataclasses
from pathlib import Path
from typing import Any

from unmask.core import files, machine
from unmask.export.config import ExportConfig
from unmask.export.int8.making import EightBits
from unmask.export.parity import Parity
from unmask.finetune.task import Scores
from unmask.infer.backend import weights_file

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
    source: Scores
    export: Scores
    drop: float
    """Points of the metric, of a hundred."""
    runtime: str
    """What ran the export for its score, and runs it by default: the faster one here."""
    parity: Parity
    speeds: dict[str, Speed]
    """By runtime; torch is the source in fp32."""
    fused: dict[str, int]
    """ONNX Runtime's fused operators; none where it does not read the file."""
    eight_bits: EightBits | None

    def write(self, folder: Path, config: ExportConfig) -> dict[str, Any]:
        """Write both files and give the table of the first."""
        table = self._table(folder, config)
        files.write_json(folder / JSON, table)
        page = "\n".join(_page(table)) + "\n"
        with files.atomic(folder / PAGE) as file:
            file.write(page.encode())
        return table

    def _table(self, folder: Path, config: ExportConfig) -> dict[str, Any]:
        names = sorted(path for path in folder.iterdir() if path.is_file())
        return {
            "to": config.to,
            "precision": config.precision,
            "shape": config.shape,
            "metric": self.metric,
            "scores": {"source": self.source, "export": self.export},
            "drop": self.drop,
            "max_drop": config.max_drop,
            "parity": dataclasses.asdict(self.parity),
            "runtime": self.runtime,
            "speeds": {name: dataclasses.asdict(speed) for name, speed in self.speeds.items()},
            "fused": self.fused,
            "int8": None if self.eight_bits is None else _int8_table(self.eight_bits, config),
            "bytes": {path.name: path.stat().st_size for path in names},
            "sha256": {
                "source": files.sha256(weights_file(config.model)),
                "export": files.sha256(weights_file(folder)),
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
    scores, parity, bits = table["scores"], table["parity"], table["int8"]
    shape = table["shape"]
    form = "any batch and length" if shape is None else f"batch {shape[0]}, length {shape[1]}"
    return [
        f"# Contract: {table['to']}, {table['precision']}, {form}",
        "",
        f"The export loses {table['drop']:.2f} points of {table['metric']}; "
        f"at most {table['max_drop']:g} were allowed.",
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
        f"{parity['std_difference']:.2e}; {parity['same_argmax']:.2%} of the choices are the same.",
        "",
        "| runtime | sentences/s | one alone, ms |",
        "|---|---|---|",
        *(
            f"| {name}{' (the default)' if name.split()[0] == table['runtime'] else ''} "
            f"| {speed['sentences_per_s']:,.1f} | {speed['latency_ms']:.1f} |"
            for name, speed in table["speeds"].items()
        ),
        "",
        *_int8_page(bits),
        "| file | bytes |",
        "|---|---|",
        *(f"| {name} | {size:,} |" for name, size in table["bytes"].items()),
        "",
        f"Weights of the source: sha256 `{table['sha256']['source']}`; of the export: "
        f"`{table['sha256']['export']}`.",
        "",
        f"Measured on {table['machine']['cpu']}, {table['machine']['cores']} cores.",
    ]


def _int8_page(bits: dict[str, Any] | None) -> list[str]:
    if bits is None:
        return []
    back = set(bits["put_back"])
    return [
        f"{bits['layers']} linear layers, {bits['share']:.0%} of the matrix products, are in 8 "
        f"bits: {bits['activations']} inputs, ranges by {bits['range']} over {bits['texts']} "
        f"texts. Layers by the damage each does alone:",
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
