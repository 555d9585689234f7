"""Checkpoints: whole or not there, verified by hash, without pickle.

checkpoints/step-1000/model.safetensors       parameters, by name
                      optimizer.safetensors   AdamW's moments, by parameter name
                      state.json              where the run stands
                      manifest.json           hashes of the above
"""

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load as parse_tensors
from safetensors.torch import save as dump_tensors
from torch import nn

from unmask.core import files, manifests
from unmask.core.errors import UserError
from unmask.core.progress import say

PREFIX = "step-"


def save(
    folder: Path,
    step: int,
    model: nn.Module,
    optimizer: torch.optim.Optimizer,
    state: dict[str, Any],
    *,
    keep: int,
) -> None:
    """Write `folder/step-N` and remove all but the `keep` newest."""
    with manifests.building(folder / f"{PREFIX}{step}") as beside:
        tensors: dict[str, dict[str, torch.Tensor]] = {
            "model": dict(model.named_parameters()),
            "optimizer": dict(_moments(model, optimizer)),
        }
        for name, named in tensors.items():
            contiguous = {key: value.detach().contiguous() for key, value in named.items()}
            with files.atomic(beside / f"{name}.safetensors") as file:
                file.write(dump_tensors(contiguous))
        files.write_json(beside / "state.json", state | {"step": step})
        manifests.write(beside, "checkpoint", {}, [], {"step": step})
    for old in _newest_first(folder)[keep:]:
        shutil.rmtree(old)


def latest(folder: Path) -> Path | None:
    """The newest checkpoint whose hashes match; a damaged one is said and passed over."""
    for path in _newest_first(folder):
        try:
            broken = manifests.damaged(path, manifests.read(path))
        except UserError as error:
            broken = [error.what]
        if not broken:
            return path
        say(f"{path}: damaged ({broken[0]}), so the checkpoint before it is used")
    return None


def read_state(path: Path) -> dict[str, Any]:
    """Where the run stood when this checkpoint was written."""
    state: dict[str, Any] = files.read_json(path / "state.json")
    return state


def restore(path: Path, model: nn.Module, optimizer: torch.optim.Optimizer) -> None:
    """Load parameters and moments in place."""
    parameters = dict(model.named_parameters())
    weights = parse_tensors((path / "model.safetensors").read_bytes())
    if weights.keys() != parameters.keys():
        odd = sorted(weights.keys() ^ parameters.keys())[0]
        raise UserError(f"{path}: does not fit this model ({odd})", "use another --out")
    with torch.no_grad():
        for name, parameter in parameters.items():
            parameter.copy_(weights[name])
    for name, moment in parse_tensors((path / "optimizer.safetensors").read_bytes()).items():
        key, _, parameter_name = name.partition(":")
        parameter = parameters[parameter_name]
        device = parameter.device if key != "step" else moment.device
        optimizer.state[parameter][key] = moment.to(device)


def _moments(
    model: nn.Module, optimizer: torch.optim.Optimizer
) -> Iterator[tuple[str, torch.Tensor]]:
    for name, parameter in model.named_parameters():
        for key, value in optimizer.state[parameter].items():
            yield f"{key}:{name}", value


def _newest_first(folder: Path) -> list[Path]:
    if not folder.is_dir():
        return []
    found = [path for path in folder.iterdir() if path.name.startswith(PREFIX)]
    return sorted(found, key=lambda path: int(path.name.removeprefix(PREFIX)), reverse=True)
