"""`unmask export`: a model folder in, a folder for another runtime with its contract out."""

import importlib.util
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch

from unmask.core import config as configs
from unmask.core import manifests
from unmask.core.errors import UserError
from unmask.core.progress import say
from unmask.export.config import ExportConfig
from unmask.export.yardstick import data_of
from unmask.finetune.known import Known
from unmask.infer.choice import CHOICE_FILE
from unmask.model import weights
from unmask.model.heads import Pretraining
from unmask.train.precision import has_bf16

if TYPE_CHECKING:  # its modules need onnx, of which `_require` speaks first
    from unmask.export.contract import Contract

STAGE = "export"
NEEDED = {
    "onnx": ("onnx", "onnxruntime", "openvino"),
    "openvino": ("onnx", "openvino"),
    "pt2": ("onnx",),
    "torchscript": ("onnx",),
}
"""Packages; an ONNX file is measured by both that read it."""
OF_THE_MODEL = (manifests.NAME, CHOICE_FILE, weights.INDEX, "pytorch_model.bin.index.json")
"""What speaks of the model folder, and would be wrong of its export."""
CPU = torch.device("cpu")


def run(config: ExportConfig) -> None:
    """Export, compare, and write the folder only if the contract holds."""
    settings = configs.plain(config)
    known = Known.of(config.model)
    if known.kind is Pretraining:
        raise UserError(
            f"{config.model}: has two heads, of pretraining", "fine-tune it, or save its MaskedLM"
        )
    _require(config)
    data = data_of(config, known)
    _refuse_to_replace(config.out, model=config.model, data=data, calibration=config.calibration)
    inputs = [
        *manifests.folder_inputs("model", config.model, config.out),
        *_data_inputs("labelled data", data),
        *_data_inputs("calibration data", config.calibration),
    ]
    if manifests.is_done(config.out, STAGE, settings, inputs, force=config.force):
        return
    from unmask.export.exporting import Exporting

    exporting = Exporting.begin(config, known)
    with manifests.building(config.out) as folder:
        _copy_companions(config.model, folder)
        contract = exporting.into(folder)
        contract.write(folder, config)
        manifests.write(folder, STAGE, settings, inputs, _facts(config, known, contract))
    _tell(config, contract)


def _require(config: ExportConfig) -> None:
    """UserError where what writes the export, or is to run it, is not there."""
    for package in NEEDED[config.to]:
        if importlib.util.find_spec(package) is None:
            raise UserError(f"unmask export: needs {package}", "pip install 'unmask[export]'")
    # Elsewhere bf16 is computed in fp32, and its score would be another one.
    if (config.to, config.precision) == ("openvino", "bf16") and not has_bf16(CPU):
        raise UserError(
            "--precision bf16: this processor has no bf16 instructions, so the export's score "
            "cannot be measured",
            "export on a processor that has them, or --to pt2",
        )


def _refuse_to_replace(out: Path, **kept: Path | None) -> None:
    """UserError for a folder that holds what is read."""
    for name, path in kept.items():
        if path is not None and path.resolve().is_relative_to(out.resolve()):
            raise UserError(
                f"--out {out}: holds {path}, the {name} that is read", "give another --out"
            )


def _data_inputs(role: str, path: Path | None) -> list[manifests.Input]:
    if path is None:
        return []
    if not path.exists():
        raise UserError(f"{path}: no such file or folder", f"give the {role} that are there")
    if path.is_dir():
        return manifests.file_inputs(role, sorted(one for one in path.iterdir() if one.is_file()))
    return manifests.file_inputs(role, [path])


def _facts(config: ExportConfig, known: Known, contract: "Contract") -> dict[str, Any]:
    """What predict and evaluate need to know, beside what the model's own manifest says."""
    shape: dict[str, Any] = {}
    if config.shape is not None:
        longest = min(config.shape[1], known.facts.get("max_length", config.shape[1]))
        shape = {"shape": list(config.shape), "max_length": longest}
    bits = contract.eight_bits
    levels = {} if bits is None else {"levels": bits.levels}
    return {
        **known.facts,
        "precision": config.precision,
        "runtime": contract.runtime,
        "drop": contract.drop,
        **shape,
        **levels,
    }


def _copy_companions(model: Path, folder: Path) -> None:
    """Bring config and tokenizer along, so that the folder answers by itself."""
    for path in model.iterdir():
        beside = path.is_file() and path.suffix in (".json", ".txt")
        if beside and path.name not in OF_THE_MODEL:
            shutil.copyfile(path, folder / path.name)


def _tell(config: ExportConfig, contract: "Contract") -> None:
    speeds = ", ".join(
        f"{name} {speed.sentences_per_s:,.1f}" for name, speed in contract.speeds.items()
    )
    say(
        f"{contract.metric}: {-contract.drop:+z.2f} points; largest difference of a logit "
        f"{contract.parity.max_difference:.2e}; sentences/s: {speeds}; {config.out}"
    )
