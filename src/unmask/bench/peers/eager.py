"""transformers: as its documentation runs a model, and with torch.compile.

Legend: B batch, L length.
"""

import importlib
import inspect
from typing import Any

from unmask.bench.peers.batching import Arrays, answering
from unmask.bench.peers.opening import PeerOpening
from unmask.bench.worker import Engine
from unmask.core import files, resources
from unmask.core.errors import UserError

SHAPES = 64
"""Shapes that torch.compile may compile before it gives up on them."""


def opened(peer: PeerOpening) -> Engine:
    """Load with from_pretrained in a number format; attention as transformers chooses it."""
    import torch

    torch.set_num_threads(peer.threads)
    model = load(peer, dtype=_dtype(peer.number_format))
    pad_id = model.config.pad_token_id
    run = _compiled(model, ragged=peer.ragged) if peer.runtime == "compiled" else model
    inputs = names(model)
    several = takes_choices(model)

    @torch.inference_mode()
    def forward(arrays: Arrays) -> object:
        tensors = [torch.from_numpy(array) for array in arrays]
        if several:
            tensors = [tensor[:, None] for tensor in tensors]
        return run(**{name: tensors[place] for name, place in inputs.items()})

    answer = answering(forward, peer.order, pad_id)
    attention = model.config._attn_implementation
    name = f"{peer.runtime} {peer.number_format}, {attention} attention"
    return Engine(name, peer.number_format, 1, answer)


def load(peer: PeerOpening, **settings: object) -> Any:  # noqa: ANN401 (untyped in transformers)
    """Load the class that config.json names, ready to answer."""
    transformers: Any = importlib.import_module("transformers")  # half of it has no types
    transformers.utils.logging.set_verbosity_error()
    transformers.utils.logging.disable_progress_bar()
    (name, *_) = files.read_json(peer.model / "config.json").get("architectures") or [""]
    if not hasattr(transformers, name):
        raise UserError(f"{peer.model}: transformers has no class {name!r}", "name another model")
    return getattr(transformers, name).from_pretrained(peer.model, **settings).eval()


def names(model: Any) -> dict[str, int]:  # noqa: ANN401
    """The inputs it takes, and which array each of them is; types only where there are several."""
    found = {"input_ids": 0, "attention_mask": 1}
    takes = inspect.signature(model.forward).parameters
    if "token_type_ids" in takes and model.config.type_vocab_size > 1:
        found["token_type_ids"] = 2
    return found


def takes_choices(model: Any) -> bool:  # noqa: ANN401
    """Whether its inputs have a dimension for choices."""
    return type(model).__name__.endswith("ForMultipleChoice")


def _dtype(number_format: str) -> Any:  # noqa: ANN401
    import torch

    from unmask.train.precision import has_bf16

    if number_format == "bf16" and not has_bf16(torch.device("cpu")):
        raise UserError("this processor has no bf16 instructions", "measure fp32")
    return {"fp32": torch.float32, "bf16": torch.bfloat16}[number_format]


def _compiled(model: Any, *, ragged: bool) -> Any:  # noqa: ANN401
    """Compile for every shape where there are few, else for all shapes at once."""
    import torch

    if resources.compiler() is None:
        raise UserError("torch.compile needs a C++ compiler, and there is none", "install g++")
    torch._dynamo.config.recompile_limit = SHAPES
    return torch.compile(model, dynamic=ragged)
