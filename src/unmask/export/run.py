"""`unmask export`: a model folder in, an ONNX folder with its contract out."""

import dataclasses
import shutil
from pathlib import Path

from unmask.core import config as configs
from unmask.core import files, machine, manifests
from unmask.core.errors import UserError
from unmask.core.progress import say
from unmask.export.config import ExportConfig
from unmask.export.onnx import export
from unmask.export.parity import Parity, compare
from unmask.finetune import table
from unmask.finetune.data_config import ColumnsConfig
from unmask.finetune.known import Known
from unmask.infer.backend import ONNX_FILE
from unmask.infer.pipelines import Pipeline
from unmask.infer.torch_backend import TorchBackend
from unmask.model import weights
from unmask.model.heads import MaskedLM, SequenceClassifier

STAGE = "export"
EXPORTED = (MaskedLM, SequenceClassifier)


def run(config: ExportConfig) -> None:
    """Export, compare, and write the folder only if the difference is within the tolerance."""
    settings = configs.plain(config)
    inputs = [
        *manifests.folder_inputs("model", config.model, config.out),
        *manifests.file_inputs("parity text", [config.data]),
    ]
    if manifests.is_done(config.out, STAGE, settings, inputs, force=config.force):
        return
    known = Known.of(config.model)
    if known.kind not in EXPORTED:
        raise UserError(
            f"{config.model}: a {known.kind.__name__}, which cannot be exported yet",
            "masked language models and sequence classifiers can",
        )
    backend = TorchBackend.open(config.model)
    with manifests.building(config.out) as folder:
        say("exporting to ONNX")
        export(backend.model, weights.read_config(config.model), folder / ONNX_FILE)
        _copy_companions(config.model, folder)
        parity = _parity(config, folder)
        if parity.max_difference > config.tolerance:
            raise UserError(
                f"the exported model differs by {parity.max_difference:.2e} from PyTorch, more "
                f"than --tolerance {config.tolerance:g}",
                "report it with the model's config.json; nothing was written",
            )
        files.write_json(folder / "contract.json", _contract(folder, parity))
        facts = known.facts | {"max_difference": parity.max_difference, "texts": parity.texts}
        manifests.write(folder, STAGE, settings, inputs, facts)
    speeds = ", ".join(f"{name} {speed:,.0f}" for name, speed in parity.sentences_per_s.items())
    say(f"max |difference| {parity.max_difference:.2e}; sentences/s: {speeds}; {config.out}")


def _parity(config: ExportConfig, folder: Path) -> Parity:
    columns = ColumnsConfig(text=config.text_column, pair=config.pair_column)
    rows = table.read_texts(config.data, columns)[: config.texts]
    reference, exported = (Pipeline.open(path) for path in (config.model, folder))
    pairs = [row.pair for row in rows if row.pair is not None]
    encodings = reference.tokenizer.encode(
        [row.text for row in rows], pairs or None, max_length=reference.max_length
    )
    return compare(reference, exported, encodings)


def _copy_companions(model: Path, folder: Path) -> None:
    """Bring config and tokenizer along, so that the folder answers by itself."""
    for path in model.iterdir():
        if path.is_file() and path.suffix in (".json", ".txt") and path.name != manifests.NAME:
            shutil.copyfile(path, folder / path.name)


def _contract(folder: Path, parity: Parity) -> dict[str, object]:
    return {
        "parity": dataclasses.asdict(parity),
        "bytes": {ONNX_FILE: (folder / ONNX_FILE).stat().st_size},
        "machine": machine.describe(),
    }
