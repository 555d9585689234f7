"""The peers that take part in a measurement."""

from pathlib import Path

from unmask.bench.config import BenchConfig, PeerName
from unmask.bench.measure import Entrant, Task
from unmask.bench.peers.batching import Order
from unmask.bench.peers.opening import (
    PEERS,
    PeerOpening,
    Preparing,
    needs_preparing,
    require_transformers,
)
from unmask.bench.records import Missing
from unmask.bench.sides import EngineError, Side
from unmask.core.errors import UserError
from unmask.core.progress import bar, say

ORDERS: dict[Order, str] = {"padded": ", padded", "fours": ", sorted in fours"}


def peers_model(config: BenchConfig) -> Path | None:
    """The model folder that the peers load, None without peers; UserError where there is none."""
    if not (config.peers or config.peers_only):
        return None
    require_transformers()
    folder = config.peers_model or config.model
    if not (folder / "model.safetensors").exists():
        raise UserError(
            f"--peers: {folder} has no model.safetensors, which transformers loads",
            "give --peers-model FOLDER: the model folder that the export was made from",
        )
    return folder


def prepared(
    names: tuple[PeerName, ...], model: Path, scratch: Path
) -> tuple[list[PeerName], dict[PeerName, str]]:
    """Export for those that need it, one after the other; the others' reasons by name."""
    ready, reasons = list[PeerName](), dict[PeerName, str]()
    with bar("prepare peers", len(names)) as progress:
        for name in names:
            try:
                if needs_preparing(name):
                    with Side(Preparing(_opening(name, model, scratch, 1, "padded"))) as side:
                        side.loaded()
                ready.append(name)
            except EngineError as error:
                say(f"{name}: {error}")
                reasons[name] = str(error)
            progress.advance(note=name)
    return ready, reasons


def entrants(
    names: list[PeerName], model: Path, scratch: Path, threads: int, *, ragged: bool
) -> list[Entrant]:
    """Each peer as it runs batches of one length, or in both ways of making batches."""
    if not ragged:
        return [Entrant(name, _opening(name, model, scratch, threads, "padded")) for name in names]
    return [
        Entrant(f"{name}{told}", _opening(name, model, scratch, threads, order, ragged=True))
        for name in names
        for order, told in ORDERS.items()
    ]


def chosen(config: BenchConfig) -> tuple[PeerName, ...]:
    """The peers that are asked for, in their order."""
    return tuple(name for name in PEERS if name in (config.peers_only or PEERS))


def missing(reasons: dict[PeerName, str], tasks: list[Task]) -> list[Missing]:
    """Those that could not be prepared, for the report."""
    cases = ", ".join(task.case.name for task in tasks)
    return [Missing(name, cases, reason) for name, reason in reasons.items()]


def _opening(
    name: PeerName,
    model: Path,
    scratch: Path,
    threads: int,
    order: Order,
    *,
    ragged: bool = False,
) -> PeerOpening:
    return PeerOpening(
        name=name,
        model=model,
        prepared=scratch / name.partition("-")[0],
        threads=threads,
        order=order,
        ragged=ragged,
    )
