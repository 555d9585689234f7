"""Who else is told of a run: TensorBoard, always, and Weights & Biases, when asked.

What is told is what stands in `metrics.jsonl`: every row, every number in it by its name, such as
`train/loss` or `train/seconds/data`.
"""

import secrets
import time
from collections.abc import Mapping
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

from tensorboardX import summary
from tensorboardX.event_file_writer import EventsWriter
from tensorboardX.proto.event_pb2 import Event, SessionLog

from unmask.core import files
from unmask.core.errors import UserError
from unmask.core.rows import numbers
from unmask.core.runs import Run

if TYPE_CHECKING:
    from wandb import Run as WandbRun

FOLDER = "tensorboard"
WANDB = "wandb.json"
"""The file of the run folder that keeps the id under which W&B knows the run."""


class Tracker:
    """Tells of one run; the first process of a run has it, the others have none."""

    def __init__(
        self,
        folder: Path,
        config: Mapping[str, Any],
        *,
        resumed: int | None = None,
        wandb: str | None = None,
    ) -> None:
        """Begin, or go on after step `resumed`; `wandb` is a project of Weights & Biases.

        UserError if wandb is asked for and is not installed, or does not let us in.
        """
        self._wandb = None if wandb is None else _wandb_run(folder, wandb, config)
        # What was told of steps that are now made again is taken back.
        self._board = _Board(folder / FOLDER, None if resumed is None else resumed + 1)

    def tell(self, row: Mapping[str, Any]) -> None:
        """Pass on a row; once this returns, TensorBoard's files hold it."""
        step, found = int(row["step"]), _named(row)
        match row["kind"]:
            case "rollback":
                self._board.take_back(int(row["to"]) + 1)
            case "restart":
                self._board.take_back(0)
        told: dict[str, float | str] = {**found} if found else {"events": _words(row)}
        self._board.write(told, step, row.get("time", time.time()))
        if self._wandb is not None:
            # Steps are a number like others there: W&B's own may not go back, and ours do.
            self._wandb.log({"step": step, **told})

    def close(self, exit_code: int = 0) -> None:
        """End; `exit_code` is 0 if the run came to its end."""
        self._board.close()
        if self._wandb is not None:
            self._wandb.finish(exit_code=exit_code)


def log(run: Run, tracker: Tracker | None, row: Mapping[str, Any], *, step: int) -> None:
    """Write a row with its time to `metrics.jsonl`, and pass it on; a row may have its own step."""
    row = {"kind": row["kind"], "step": step, "time": time.time()} | dict(row)
    run.log(row)
    if tracker is not None:
        tracker.tell(row)


class _Board:
    """TensorBoard's event file.

    Written by tensorboardX record by record, not through its SummaryWriter: that has a thread and
    a queue of its own, which may still hold what was written when the run is killed.
    """

    def __init__(self, folder: Path, purge_step: int | None) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        # Files are named by the second; the number keeps two of one second apart, in order.
        number = len(list(folder.iterdir()))
        self._events = EventsWriter(str(folder / "events"), f".{number:05}")
        if purge_step is not None:
            self.take_back(purge_step)

    def take_back(self, step: int) -> None:
        """Have TensorBoard forget what was written of this step and those after it."""
        start = SessionLog(status=SessionLog.START)
        self._events.write_event(Event(step=step, wall_time=time.time(), session_log=start))

    def write(self, values: Mapping[str, float | str], step: int, wall_time: float) -> None:
        """Write numbers, or words, of one step."""
        for name, value in values.items():
            one = (
                summary.text(name, value) if isinstance(value, str) else summary.scalar(name, value)
            )
            self._events.write_event(Event(step=step, wall_time=wall_time, summary=one))
        self._events.flush()

    def close(self) -> None:
        """End the file."""
        self._events.close()


def _named(row: Mapping[str, Any]) -> dict[str, float]:
    """The numbers of a row; an event has none but those of its step."""
    match row["kind"]:
        case "resume" | "rollback" | "stop":
            return {}
        case "scores":
            before = f"scores/{row['task']}/{row['metric']}"
        case kind:
            before = str(kind)
    return {f"{before}/{name}": value for name, value in numbers(row)}


def _words(row: Mapping[str, Any]) -> str:
    more = [f"{name} {row[name]}" for name in ("to", "signal") if name in row]
    return " ".join([str(row["kind"]), *more])


def _wandb_run(folder: Path, project: str, config: Mapping[str, Any]) -> "WandbRun":
    wandb = _imported(project)
    folder.mkdir(parents=True, exist_ok=True)
    known = folder / WANDB
    if not known.exists():
        files.write_json(known, {"id": secrets.token_hex(4)})
    try:
        run: WandbRun = wandb.init(
            project=project,
            id=files.read_json(known)["id"],
            resume="allow",
            name=folder.resolve().name,
            dir=str(folder),
            config=dict(config),
            settings=wandb.Settings(console="off"),
        )
    except wandb.Error as error:
        raise UserError(
            f"--track.wandb {project}: {error}",
            "wandb login, or set WANDB_MODE=offline and send it later with wandb sync",
        ) from None
    run.define_metric("step")
    run.define_metric("*", step_metric="step")
    return run


def _imported(project: str) -> ModuleType:
    try:
        import wandb
    except ImportError:
        raise UserError(
            f"--track.wandb {project}: wandb is not installed", "pip install 'unmask[track]'"
        ) from None
    module: ModuleType = wandb
    return module
