"""Reading torch pickles without running them: tensors come to life, every other object is inert.

A pickle is a program. Its one way out is to look up a class or function by name; here all names
but a handful, which build tensors, lead to a stand-in that only records the object's state.
"""

import collections
import pickle
import types
import warnings
from pathlib import Path
from typing import Any

import torch

from unmask.core.errors import UserError

ALLOWED: dict[tuple[str, str], Any] = {
    ("collections", "OrderedDict"): collections.OrderedDict,
    ("torch", "Size"): torch.Size,
    ("torch._utils", "_rebuild_tensor"): torch._utils._rebuild_tensor,
    ("torch._utils", "_rebuild_tensor_v2"): torch._utils._rebuild_tensor_v2,
    ("torch._utils", "_rebuild_parameter"): torch._utils._rebuild_parameter,
}
"""All that a pickle may call, beside torch's storages and dtypes."""


class Inert:
    """Stands for an object of any class: keeps the state it is given and does nothing."""

    state: object

    def __new__(cls, *arguments: object) -> "Inert":
        """Make one without __init__, as pickles do."""
        inert = super().__new__(cls)
        inert.state = arguments
        return inert

    def __init__(self, *arguments: object) -> None: ...

    def __setstate__(self, state: object) -> None:
        self.state = state

    def __setitem__(self, key: object, value: object) -> None: ...

    def append(self, item: object) -> None:
        """Drop an item of a list."""

    def add(self, item: object) -> None:
        """Drop an item of a set."""


class InertUnpickler(pickle.Unpickler):
    """Looks names up in ALLOWED and nowhere else."""

    def find_class(self, module: str, name: str) -> Any:  # noqa: ANN401
        """Find what a pickle refers to by name; torch itself adds its storages to these."""
        dtype = getattr(torch, name, None) if module == "torch" else None
        if isinstance(dtype, torch.dtype):
            return dtype
        return ALLOWED.get((module, name), Inert)


def load(path: Path) -> Any:  # noqa: ANN401
    """Read what torch.save wrote (zip or legacy format), tensors to the CPU.

    UserError if it is no such file, or wants to call something that is not ALLOWED.
    """
    module: Any = types.ModuleType("inert_pickle")
    module.Unpickler = InertUnpickler
    module.load = lambda file, **options: InertUnpickler(file, **options).load()
    try:
        with warnings.catch_warnings():
            # Left alone, torch.load would hand a TorchScript archive to torch.jit.load.
            warnings.filterwarnings("error", message=".*TorchScript archive.*")
            return torch.load(path, map_location="cpu", pickle_module=module, weights_only=False)
    except FileNotFoundError:
        raise UserError(f"{path}: no such file", "name a fairseq checkpoint (.pt)") from None
    except Exception as error:
        raise UserError(
            f"{path}: cannot be read as a torch checkpoint: {error}",
            "name a file that torch.save wrote, with weights and plain settings in it",
        ) from None


def recorded(value: object, key: str) -> object | None:
    """Search nested dicts, lists and inert objects for the first value under a key."""
    return _search(value, key, set())


def _search(value: object, key: str, seen: set[int]) -> object | None:
    if id(value) in seen:
        return None
    seen.add(id(value))
    inside: collections.abc.Iterable[object] = ()
    match value:
        case Inert():
            inside = [value.state]
        case dict():
            if key in value:
                return _unwrapped(value[key])
            inside = value.values()
        case list() | tuple():
            inside = value
    hits = (_search(item, key, seen) for item in inside)
    return next((hit for hit in hits if hit is not None), None)


def _unwrapped(value: object) -> object:
    """Take a setting out of the node that omegaconf puts around it."""
    if isinstance(value, Inert) and isinstance(value.state, dict):
        return value.state.get("_val")
    return value
