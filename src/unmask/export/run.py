"""`unmask export`: a model folder in, a folder for another runtime with its contract out."""

import shutil
from pathlib import Path
from typing import Any

from unmask.core import config as configs
from unmask.core import manifests
from unmask.core.errors import UserError
from unmask.core.progress import say
from unmask.export.config import ExportConfig
from unmask.export.contract import Contract
from unmask.export.exporting import Exporting
from unmask.finetune.known import Known
from unmask.model.heads import Pretraining

STAGE = "export"


def run(config: ExportConfig) -> None:
    """Export, compare, and write the folder only if the contract holds."""
    settings = configs.plain(config)
    known = Known.of(config.model)
    if known.kind is Pretraining:
        raise UserError(
            f"{config.model}: has two heads, of pretraining", "fine-tune it, or save its MaskedLM"
        )
    inputs = [
        *manifests.folder_inputs("model", config.model, config.out),
        *_data_inputs("labelled data", config.data),
        *_data_inputs("calibration data", config.calibration),
    ]
    if manifests.is_done(config.out, STAGE, settings, inputs, force=config.force):
        return
    exporting = Exporting.begin(config, known)
    with manifests.building(config.out) as folder:
        _copy_companions(config.model, folder)
        contract = exporting.into(folder)
        contract.write(folder, config)
        manifests.write(folder, STAGE, settings, inputs, _facts(config, known, contract))
    _tell(config, contract)


def _data_inputs(role: str, path: Path | None) -> list[manifests.Input]:
    if path is None:
        return []
    if not path.exists():
        raise UserError(f"{path}: no such file or folder", f"give the {role} that are there")
    if path.is_dir():
        return manifests.file_inputs(role, sorted(one for one in path.iterdir() if one.is_file()))
    return manifests.file_inputs(role, [path])


def _facts(config: ExportConfig, known: Known, contract: Contract) -> dict[str, Any]:
    """What predict and evaluate need to know, beside what the model's own manifest says."""
    shape: dict[str, Any] = {}
    if config.shape is not None:
        shape = {"shape": list(config.shape), "max_length": config.shape[1]}
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
        if path.is_file() and path.suffix in (".json", ".txt") and path.name != manifests.NAME:
            shutil.copyfile(path, folder / path.name)


def _tell(config: ExportConfig, contract: Contract) -> None:
    speeds = ", ".join(
        f"{name} {speed.sentences_per_s:,.1f}" for name, speed in contract.speeds.items()
    )
    say(
        f"{contract.metric}: {0 - contract.drop:+.2f} points; largest difference of a logit "
        f"{contract.parity.max_difference:.2e}; sentences/s: {speeds}; {config.out}"
    )
