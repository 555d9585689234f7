"""The one way to run a model: a batch of ids in, logits out.

Legend: B batch, L length, V vocabulary, C classes.
"""

import dataclasses
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from unmask.core import files, manifests
from unmask.core.engine import cores
from unmask.core.errors import UserError
from unmask.infer.engine_config import EngineConfig, Runtime
from unmask.tokenizer.batch import Batch

ONNX_FILE = "model.onnx"
OPENVINO_FILE = "openvino_model.xml"
PT2_FILE = "model.pt2"
TORCHSCRIPT_FILE = "model.pt"

Logits = npt.NDArray[np.float32]


class Backend(Protocol):
    """A model that runs somewhere. Padding is not computed, but in attention."""

    name: str
    """The runtime and its number format, such as `openvino bf16`."""
    streams: int
    """How many batches it computes at once: so many threads may call `logits`."""
    batch_tokens: int
    """Tokens of a batch, padding counted, that suit it."""

    def logits(self, batch: Batch) -> Logits:
        """Run a batch: [B, L, V] for masked language models, [B, C] for classifiers of sequences.

        [B, L, C] for those of tokens, [B, L, 2] for starts and ends, [B, 1] for an option a row.
        At padding they mean nothing.
        """


def open_backend(folder: Path, engine: EngineConfig, *, many: bool) -> Backend:
    """Open a model or export folder; `many` says that batches come in plenty.

    UserError for a runtime that cannot read the folder, a precision it does not have, or batches
    of another size than the one shape of an export.
    """
    from unmask.infer.one_shape import OneShape
    from unmask.infer.saturation import refuse_overflow
    from unmask.model import weights

    refuse_overflow(folder)
    shape = facts(folder).get("shape")
    if shape is not None and engine.batch_tokens not in (None, shape[0] * shape[1]):
        raise UserError(
            f"--engine.batch-tokens {engine.batch_tokens}: {folder} was exported for batches of "
            f"{shape[0]} x {shape[1]}",
            "leave it out, or export without --shape",
        )
    backend = _opened(folder, _settled(folder, engine, many=many), many=many)
    if shape is None:
        return backend
    return OneShape(backend, shape[0], shape[1], weights.read_config(folder).pad_id)


def _settled(folder: Path, engine: EngineConfig, *, many: bool) -> EngineConfig:
    """Fill in, where nothing else is asked for, what was found fastest with as many threads."""
    from unmask.infer.choice import chosen
    from unmask.train.precision import resolve_device

    if engine.runtime != "auto" and engine.streams and engine.batch_tokens:
        return engine  # so that --choose does not depend on what was chosen before
    choice = chosen(folder, engine.threads or cores())
    if choice is None:
        return engine
    best = choice.many if many else choice.single
    if engine.runtime not in ("auto", best.runtime) or best.runtime not in runtimes(folder):
        return engine
    if best.runtime == "torch" and resolve_device(engine.device).type != "cpu":
        return engine  # what is tried are batches for processors
    return dataclasses.replace(
        engine,
        runtime=best.runtime,
        streams=engine.streams or best.streams,
        batch_tokens=engine.batch_tokens or best.batch_tokens,
    )


def facts(folder: Path) -> dict[str, Any]:
    """What the manifest of a folder says of it; nothing for one that unmask has not made."""
    return manifests.read(folder).facts if (folder / manifests.NAME).exists() else {}


def max_length(folder: Path) -> int:
    """Tokens of the longest sequence a folder takes: the model's, or those of its one shape."""
    from unmask.model import weights

    longest = weights.read_config(folder).max_length
    shape = facts(folder).get("shape")
    return longest if shape is None else min(longest, shape[1])


def _opened(folder: Path, engine: EngineConfig, *, many: bool) -> Backend:
    runtime = _runtime(folder, engine)
    if engine.device == "cuda" and runtime != "torch":
        raise UserError(
            f"--engine.device cuda: {runtime} runs {folder} on the processor",
            "leave it out, or give the model folder it was made from",
        )
    match runtime:
        case "openvino":
            from unmask.infer.openvino_backend import OpenVinoBackend

            return OpenVinoBackend.open(folder, engine, many=many)
        case "onnxruntime":
            from unmask.infer.onnx_backend import OnnxBackend

            return OnnxBackend.open(folder, engine, many=many)
        case "torch":
            return _torch(folder, engine)


def _torch(folder: Path, engine: EngineConfig) -> Backend:
    for name in (PT2_FILE, TORCHSCRIPT_FILE):
        if (folder / name).exists():
            from unmask.infer.program_backend import ProgramBackend

            return ProgramBackend.open(folder / name, engine)
    from unmask.infer.torch_backend import TorchBackend

    return TorchBackend.open(folder, engine)


def _runtime(folder: Path, engine: EngineConfig) -> Runtime:
    readers = runtimes(folder)
    if engine.runtime == "auto":
        return _measured(folder, readers) or readers[0]
    if engine.runtime not in readers:
        raise UserError(
            f"--engine.runtime {engine.runtime}: {folder} is read by {', '.join(readers)}",
            "leave it out, or export the model for it",
        )
    return engine.runtime


def runtimes(folder: Path) -> tuple[Runtime, ...]:
    """Name what can run a folder; UserError for one that holds no model."""
    if (folder / ONNX_FILE).exists():
        return "onnxruntime", "openvino"
    if (folder / OPENVINO_FILE).exists():
        return ("openvino",)
    if (folder / "config.json").exists():
        return ("torch",)
    hint = f"give {folder / 'model'}" if (folder / "model").is_dir() else "give a model folder"
    raise UserError(f"{folder}: holds neither config.json nor {ONNX_FILE}", hint)


def _measured(folder: Path, readers: tuple[Runtime, ...]) -> Runtime | None:
    """The runtime that the export was measured with."""
    named = facts(folder).get("runtime")
    return named if named in readers else None


def weights_sha256(folder: Path) -> str:
    """The hash of the weights of a model or export folder; UserError if it holds none."""
    from unmask.model import weights

    names = ONNX_FILE, "openvino_model.bin", PT2_FILE, TORCHSCRIPT_FILE
    exported = next((path for name in names if (path := folder / name).exists()), None)
    return weights.sha256(folder) if exported is None else files.sha256(exported)
