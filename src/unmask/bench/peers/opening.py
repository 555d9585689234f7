"""A peer: its name, what it needs before it can be measured, and how it is opened."""

import dataclasses
import importlib
import importlib.util
from pathlib import Path
from typing import get_args

from unmask.bench.config import PeerName
from unmask.bench.peers.batching import Order
from unmask.bench.worker import Engine
from unmask.core.errors import UserError

PEERS: tuple[PeerName, ...] = get_args(PeerName)


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class PeerOpening:
    """A peer that loads a model folder, as a user of it would."""

    name: PeerName
    model: Path
    prepared: Path
    """Folder of what was exported for it."""
    threads: int
    order: Order
    ragged: bool

    def open(self) -> Engine:
        """Load it; whatever goes wrong is the reason why it does not run."""
        engine: Engine = _module(self.name).opened(self)
        return engine

    @property
    def runtime(self) -> str:
        """The first word of its name."""
        return self.name.partition("-")[0]

    @property
    def number_format(self) -> str:
        """The second word."""
        return self.name.partition("-")[2]


@dataclasses.dataclass(frozen=True, slots=True)
class Preparing:
    """Exports a model for a peer, in a process whose memory nobody measures."""

    peer: PeerOpening

    def open(self) -> Engine:
        """Export it; the engine that is returned computes nothing."""
        _module(self.peer.name).prepare(self.peer)
        return Engine("prepared", self.peer.number_format, 1, len)


def require_transformers() -> None:
    """UserError without transformers, which loads the model for all peers."""
    if importlib.util.find_spec("transformers") is None:
        raise UserError(
            "--peers: transformers is not installed, and it loads the model for all of them",
            "pip install transformers",
        )


def needs_preparing(name: PeerName) -> bool:
    """Whether a model is exported for it first."""
    return name.startswith(("onnxruntime", "openvino"))


def _module(name: PeerName):  # type: ignore[no-untyped-def]  # noqa: ANN202 (one of three modules)
    runtime = name.partition("-")[0]
    module = {"onnxruntime": "stock_onnx", "openvino": "stock_openvino"}.get(runtime, "eager")
    return importlib.import_module(f"unmask.bench.peers.{module}")
