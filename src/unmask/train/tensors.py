"""Weights and moments in files: each process writes and reads its own share of them.

The files are safetensors whose heads say where in a tensor each part lies, as
torch.distributed.checkpoint writes them; so any number of processes, sharded in any way, can read
what any other number wrote. Names are those of the bare model, whatever is wrapped around it:

model.encoder.norm.weight
optimizer.state.encoder.norm.weight.exp_avg
"""

import warnings
from collections.abc import Mapping
from concurrent.futures import Future
from pathlib import Path
from typing import Any

import torch
from torch import distributed, nn
from torch.distributed.checkpoint.api import CheckpointException
from torch.distributed.checkpoint.hf_storage import (
    HuggingFaceStorageReader,
    HuggingFaceStorageWriter,
)
from torch.distributed.checkpoint.metadata import TensorStorageMetadata
from torch.distributed.checkpoint.state_dict import (
    StateDictOptions,
    get_model_state_dict,
    get_optimizer_state_dict,
)
from torch.distributed.checkpoint.state_dict_loader import load
from torch.distributed.checkpoint.state_dict_saver import async_save

from unmask.core.errors import UserError

Group = distributed.ProcessGroup
Tensors = dict[str, torch.Tensor]

MODEL = "model."
OPTIMIZER = "optimizer."


def write(
    folder: Path, model: nn.Module, optimizer: torch.optim.Optimizer, group: Group | None
) -> Future[Any]:
    """Copy all tensors now, write the copies in the background; the result is when it is done.

    A tensor that every process holds is written by one of them. `group` is a gloo group that
    nothing else uses meanwhile, or None in a process that is alone.
    """
    _alone_is_meant()
    here = _weights(model)
    if optimizer.state:
        here |= _moments(model, optimizer)
    writer = HuggingFaceStorageWriter(str(folder), save_distributed=True)
    writing = async_save(here, storage_writer=writer, process_group=group)
    assert isinstance(writing, Future)
    return writing


def finish(writing: Future[Any]) -> None:
    """Wait until every process has written its share; raise what went wrong in any."""
    try:
        writing.result()
    except CheckpointException as error:
        cause, _ = next(iter(error.failures.values()))
        raise cause from None


def read(
    folder: Path, model: nn.Module, optimizer: torch.optim.Optimizer, group: Group | None
) -> None:
    """Put weights and moments in their places; gradients are dropped.

    UserError if the files are of another model or of another optimizer.
    """
    _alone_is_meant()
    reader = HuggingFaceStorageReader(str(folder))
    shapes = {
        name: tuple(entry.size)
        for name, entry in reader.read_metadata().state_dict_metadata.items()
        if isinstance(entry, TensorStorageMetadata)
    }
    here = _weights(model)
    _require_fit(folder, _starting(MODEL, shapes), here)
    optimizer.zero_grad(set_to_none=True)  # with gradients the moments would not be made anew
    optimizer.state.clear()
    moments = _starting(OPTIMIZER, shapes)
    if moments:
        fresh = _moments(model, optimizer)
        _drop_unused(optimizer, fresh, moments)
        kept = _moments(model, optimizer)
        _require_fit(folder, moments, kept)
        here |= kept
    load(here, storage_reader=reader, process_group=group)


def _weights(model: nn.Module) -> Tensors:
    """The parameters themselves by name; FSDP shards again what it had gathered."""
    table: Mapping[str, Any] = get_model_state_dict(model)
    return {MODEL + name: tensor for name, tensor in table.items()}


def _moments(model: nn.Module, optimizer: torch.optim.Optimizer) -> Tensors:
    """The optimizer's own tensors by name; made, if it has not taken a step.

    Of the settings beside them (learning rate, betas) none is kept: the config has them.
    """
    options = StateDictOptions(flatten_optimizer_state_dict=True)
    table: Mapping[str, Any] = get_optimizer_state_dict(model, optimizer, options=options)
    return {OPTIMIZER + name: value for name, value in table.items() if name.startswith("state.")}


def _drop_unused(
    optimizer: torch.optim.Optimizer, fresh: Tensors, moments: Mapping[str, Any]
) -> None:
    """Forget the moments of parameters that had none, as they never had a gradient."""
    used = {id(tensor) for name, tensor in fresh.items() if name in moments}
    for parameter, own in list(optimizer.state.items()):
        if not used.intersection(id(tensor) for tensor in own.values()):
            del optimizer.state[parameter]


def _starting(prefix: str, shapes: Mapping[str, tuple[int, ...]]) -> dict[str, tuple[int, ...]]:
    return {name: shape for name, shape in shapes.items() if name.startswith(prefix)}


def _require_fit(folder: Path, there: Mapping[str, tuple[int, ...]], here: Tensors) -> None:
    shapes = {name: tuple(tensor.shape) for name, tensor in here.items()}
    odd = sorted(
        name for name in there.keys() | shapes.keys() if there.get(name) != shapes.get(name)
    )
    if odd:
        name = odd[0]
        raise UserError(
            f"{folder}: does not fit this model ({name}: {there.get(name, 'missing')} in the "
            f"checkpoint, {shapes.get(name, 'missing')} in the model)",
            "use another --out",
        )


def _alone_is_meant() -> None:
    """A process without others is warned about at each save and load, in whichever thread."""
    warnings.filterwarnings("ignore", message="torch.distributed is disabled, unavailable or")
