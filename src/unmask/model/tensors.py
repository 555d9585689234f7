"""Tensors by name: ours, those of another format, and what does not fit between the two."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import TypeAlias

import torch
from torch import Tensor, nn

from unmask.core.errors import UserError

Modules: TypeAlias = Mapping[str, tuple[str, ...]]
"""Our module to theirs; `#` stands for the number of a block. Several are stacked in order."""
Names: TypeAlias = Mapping[str, tuple[str, ...]]
"""Our tensor to theirs: stacked along their first axis they are ours."""

WIDENED = {torch.float16: torch.float32, torch.bfloat16: torch.float32}
"""Weights stored in half precision are worked with in float32, which loses nothing."""
SHOWN = 3


def names(model: nn.Module, modules: Modules) -> Names:
    """Name every tensor of the model in the other format."""
    table = {}
    for ours in model.state_dict():
        module, _, parameter = ours.rpartition(".")
        number = "".join(re.findall(r"\d+", module))
        theirs = modules[re.sub(r"\d+", "#", module)]
        table[ours] = tuple(f"{name.replace('#', number)}.{parameter}" for name in theirs)
    return table


def split(ours: Mapping[str, Tensor], names: Names) -> dict[str, Tensor]:
    """Turn tensors by our names (weights or gradients) into those of the other format."""
    return {
        theirs: part
        for name, tensor in ours.items()
        for theirs, part in zip(names[name], tensor.chunk(len(names[name])), strict=True)
    }


def join(theirs: Mapping[str, Tensor], names: Names) -> dict[str, Tensor]:
    """Turn tensors of the other format into ours: the inverse of split, in fresh memory."""
    ours = {name: torch.cat([theirs[part] for part in parts]) for name, parts in names.items()}
    return {
        name: tensor.to(WIDENED.get(tensor.dtype, tensor.dtype)) for name, tensor in ours.items()
    }


def check(
    theirs: Mapping[str, Tensor], expected: Mapping[str, Tensor], where: str, hint: str
) -> None:
    """Refuse what is missing, unexpected or of another shape, by name, with a UserError.

    Of the expected tensors only the shapes count; they may lie on the meta device.
    """
    wrong = [
        f"{name} {_shape(tensor)} is missing"
        for name, tensor in expected.items()
        if name not in theirs
    ]
    for name, tensor in theirs.items():
        if name not in expected:
            wrong.append(f"{name} {_shape(tensor)} is unexpected")
        elif tensor.shape != expected[name].shape:
            wrong.append(f"{name} is {_shape(tensor)}, expected {_shape(expected[name])}")
        elif tensor.dtype not in (*WIDENED, torch.float32, torch.float64):
            wrong.append(f"{name} is {tensor.dtype}, expected floating point")
    if wrong:
        more = f"; and {len(wrong) - SHOWN} more" if len(wrong) > SHOWN else ""
        raise UserError(f"{where}: {'; '.join(wrong[:SHOWN])}{more}", hint)


def untie(theirs: dict[str, Tensor], tied: Mapping[str, str], path: Path) -> None:
    """Drop copies of tied tensors; UserError if a copy is not what it is tied to."""
    for copy, source in tied.items():
        if copy in theirs:
            tensor = theirs.pop(copy)
            if not torch.equal(tensor, theirs.setdefault(source, tensor)):
                raise UserError(
                    f"{path}: {copy} differs from {source}, to which it is tied",
                    "a model with an untied decoder cannot be loaded",
                )


def _shape(tensor: Tensor) -> str:
    return "x".join(map(str, tensor.shape)) or "scalar"
