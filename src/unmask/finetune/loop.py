"""The training loop: step, and a look at dev every so many steps."""

import dataclasses
import math
import shutil
import signal
from pathlib import Path
from typing import Any

from unmask.core.errors import UserError
from unmask.core.progress import Bar, bar, say
from unmask.core.runs import Run
from unmask.finetune.looks import Looks
from unmask.finetune.task import Scores
from unmask.finetune.trainer import Trainer
from unmask.train.checkpoint import Checkpoints, read_state
from unmask.train.memory import peak_memory
from unmask.train.step import due
from unmask.train.stopping import stop_requested
from unmask.train.tracking import Tracker, log

PATIENCE = 5
"""So many steps in a row without a finite loss end a training."""
LOOKS = 3
"""At dev, before a training is given up as stuck."""


@dataclasses.dataclass(slots=True)
class Best:
    """The look at dev with the best score."""

    step: int
    scores: Scores


@dataclasses.dataclass(slots=True)
class Loop:
    """A trainer, and where it writes; every process has one, the first one talks and writes."""

    trainer: Trainer
    checkpoints: Checkpoints
    run: Run
    tracker: Tracker | None
    """None but in the first process."""
    plan: Looks
    """When there is a look at dev."""
    attempt: int
    """How often the training began anew before."""
    inputs: list[str]
    """What the run was begun on; a checkpoint of other inputs is refused."""
    best: Best | None = None
    looks: int = 0
    waited: int = 0
    """Looks at dev since the best one."""
    stuck: bool = True
    """Whether every look so far found one answer to everything."""

    def train(self) -> bool:
        """Train to the end; False if it was stuck and may begin anew."""
        trainer = self.trainer
        progress_bar = bar("finetune", trainer.total, done=trainer.steps_done)
        with stop_requested() as stop, progress_bar as progress:
            trainer.meter.rewind()
            while not (self._ended() or self._may_begin_anew()):
                trainer.step()
                progress.advance(note=self._row_if_due())
                looked = self.plan.due(trainer.steps_done)
                if looked:
                    progress.advance(0, self._look())
                stopped_by = trainer.ranks.any(stop())
                if looked or stopped_by:
                    self._save(looked=looked)
                if stopped_by:
                    self._stop(stopped_by, progress)
        return not self._may_begin_anew()

    def resume(self, checkpoint: Path) -> None:
        """Stand where a checkpoint stood."""
        state = read_state(checkpoint)
        if state["inputs"] != self.inputs:
            raise UserError(
                f"{self.run.folder}: its run was begun on another model or other data than these",
                "bring them back, or start anew with --force",
            )
        self.checkpoints.restore(checkpoint, self.trainer.model, self.trainer.update.optimizer)
        self.trainer.restore(state)
        self.best = None if state["best"] is None else Best(**state["best"])
        self.looks, self.waited, self.stuck = state["looks"], state["waited"], state["stuck"]
        self._log({"kind": "resume"})
        say(f"going on from step {self.trainer.steps_done:,}")

    def forget(self, why: str) -> None:
        """Throw away the checkpoints of an attempt that came to nothing."""
        say(why)
        self._log({"kind": "restart"})
        if self.trainer.ranks.first:
            shutil.rmtree(self.run.checkpoints, ignore_errors=True)
        self.trainer.ranks.wait()

    def close(self) -> None:
        """Let everything end that works beside the loop; an error in saving is raised here."""
        try:
            self.checkpoints.wait()
        finally:
            self.trainer.ahead.close()

    def back_to_best(self) -> Best:
        """Give the model the weights of the best look at dev."""
        assert self.best is not None
        path = self.checkpoints.best()
        if path is None:
            raise UserError(
                f"{self.run.checkpoints}: the best checkpoint is damaged or gone",
                "start anew with --force",
            )
        if self.best.step != self.trainer.steps_done:
            optimizer = self.trainer.update.optimizer
            state = self.checkpoints.restore(path, self.trainer.model, optimizer)
            self.trainer.decayed.fill_(state["decayed"])
        return self.best

    def _look(self) -> str:
        """Score dev; a few words about it."""
        task = self.trainer.task
        logits = self.trainer.dev_logits()
        scores = task.dev.judge.scores(logits)
        self.looks += 1
        self.stuck = self.stuck and task.dev.judge.stuck(logits)
        self._log({"kind": "dev", "epoch": self._epochs(), "metric": task.metric} | scores)
        self.trainer.meter.rewind()
        score = scores[task.metric]
        best = -math.inf if self.best is None else self.best.scores[task.metric]
        better = self.best is None or score > best or math.isnan(best)
        self.waited = 0 if better else self.waited + 1
        if better:
            self.best = Best(self.trainer.steps_done, scores)
        return f"epoch {self._epochs():.3g}: dev {task.metric} {score:.4g}"

    def _epochs(self) -> float:
        return self.plan.epochs(self.trainer.steps_done)

    def _ended(self) -> bool:
        """Whether all steps are made, or dev has not become better for too long."""
        trainer, patience = self.trainer, self.trainer.config.patience
        return trainer.steps_done >= trainer.total or (
            patience is not None and self.waited >= patience
        )

    def _may_begin_anew(self) -> bool:
        """Stuck for half of the looks, or to the end, after an epoch, with attempts left."""
        no_more = self.attempt >= self.trainer.config.restarts
        if not self.stuck or no_more or self._epochs() < 1:
            return False
        return self._ended() or self.looks >= max(LOOKS, math.ceil(self.plan.count / 2))

    def _row_if_due(self) -> str:
        trainer = self.trainer
        if not due(trainer.steps_done, trainer.config.log_every, trainer.total):
            return ""
        left_out, longest = trainer.update.guard.report()
        row = trainer.meter.row(trainer.steps_done, trainer.lr(trainer.steps_done - 1))
        row |= {"skipped": left_out, "memory_bytes": peak_memory(trainer.ranks.device)}
        self._log(row)
        if left_out:
            say(f"step {trainer.steps_done:,}: {left_out} steps left out: no finite loss")
        if longest >= PATIENCE:
            raise UserError(
                f"step {trainer.steps_done:,}: {longest} steps in a row had no finite loss",
                "lower --optim.peak-lr, or set --optim.clip-norm 1",
            )
        return f"loss {row['loss']:.3f}  {row['examples_per_s']:,.0f} examples/s"

    def _save(self, *, looked: bool) -> None:
        trainer = self.trainer
        newly_best = looked and self.waited == 0
        score = self.best.scores[trainer.task.metric] if newly_best and self.best else None
        state = {
            "inputs": self.inputs,
            "attempt": self.attempt,
            "best": None if self.best is None else dataclasses.asdict(self.best),
            "looks": self.looks,
            "waited": self.waited,
            "stuck": self.stuck,
        }
        self.checkpoints.save(
            trainer.steps_done,
            trainer.model,
            trainer.update.optimizer,
            trainer.state() | state,
            loss=None if score is None else -score,
        )

    def _stop(self, number: int, progress: Bar) -> None:
        """End after a signal, with everything saved."""
        name = signal.Signals(number).name
        self.checkpoints.wait()
        self._log({"kind": "stop", "signal": name})
        progress.advance(0, "stopped")
        if number == signal.SIGINT:
            raise KeyboardInterrupt
        say(f"{name}: saved at step {self.trainer.steps_done:,}; the same command goes on")
        raise Stopped

    def _log(self, row: dict[str, Any]) -> None:
        if self.trainer.ranks.first:
            log(self.run, self.tracker, row, step=self.trainer.steps_done)


class Stopped(Exception):  # noqa: N818
    """SIGTERM has ended a training, and all is saved."""
