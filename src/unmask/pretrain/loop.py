"""The training loop: step, and what happens every so many steps."""

import dataclasses
import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from unmask.core.errors import UserError
from unmask.core.progress import Bar, bar, say
from unmask.core.runs import Run
from unmask.pretrain.activations import outliers
from unmask.pretrain.evaluate import HeldOut
from unmask.pretrain.meter import note
from unmask.pretrain.scoring.scores import Scores
from unmask.pretrain.speed import Speed
from unmask.pretrain.trainer import Trainer
from unmask.train.checkpoint import Checkpoints, read_state
from unmask.train.memory import peak_memory
from unmask.train.step import due
from unmask.train.stopping import stop_requested
from unmask.train.tracking import Tracker, log

WAIT_S = 0.2
"""Between two looks at a fine-tuning that is waited for."""


@dataclasses.dataclass(slots=True)
class Loop:
    """A trainer, and where it writes; every process has one, the first one talks and writes."""

    trainer: Trainer
    checkpoints: Checkpoints
    run: Run
    tracker: Tracker | None
    """None but in the first process."""
    inputs: list[str]
    """What the run was begun on; a checkpoint of other inputs is refused."""
    speed: Speed
    scored: Scores
    """Scores the model as it is on tasks, beside training."""
    scores: HeldOut | None = None
    lowest: float | None = None
    """The best held-out loss so far."""
    rollbacks: int = 0
    """How often the run went back without getting past the place."""
    place: int = 0
    """The furthest step at which it had to."""

    def train(self) -> bool:
        """Train to the last step; False if a signal stopped it, with everything saved."""
        trainer, config = self.trainer, self.trainer.config
        if trainer.steps_done in (0, trainer.total):  # or killed when only the model was missing
            self._evaluate()
        trainer.meter.rewind()
        total = None if trainer.deadline else trainer.total
        progress_bar = bar("pretrain", total, done=trainer.steps_done)
        with stop_requested() as stop, progress_bar as progress:
            while trainer.steps_done < trainer.total:
                trainer.step()
                if trainer.reckon():
                    progress.expect(trainer.total)
                progress.advance(note=self._row_if_due())
                stopped_by = trainer.ranks.any(stop())
                best = self._due(config.evaluate_every) and self._evaluate()
                if best or stopped_by or self._due(config.checkpoint_every):
                    self._save()
                if stopped_by:
                    return self._stopped(stopped_by, progress)
                if self.scored.begin(trainer.steps_done, trainer.total):
                    trainer.meter.rewind()
                self._tell_scores()
            stopped_by = self._wait_for_scores(stop)
            return self._stopped(stopped_by, progress) if stopped_by else True

    def resume(self) -> None:
        """Go on from the newest whole checkpoint, if there is one."""
        newest = self.checkpoints.newest()
        if newest is None:
            return
        state = self._restored(newest)
        self.trainer.restore(state)
        self.lowest = state["lowest"]
        self.rollbacks, self.place = state["rollbacks"], state["place"]
        self.scored.resume(self.trainer.steps_done, self.trainer.total)
        self._log({"kind": "resume"})
        say(f"going on from step {self.trainer.steps_done:,}")

    def close(self) -> None:
        """Let everything end that works beside the loop; an error in saving is raised here."""
        try:
            self.checkpoints.wait()
        finally:
            self.scored.close()
            self.trainer.ahead.close()
            if self.tracker is not None:
                self.tracker.close()

    def _tell_scores(self) -> None:
        for row in self.scored.collect():
            self._log(row)

    def _wait_for_scores(self, stop: Callable[[], int]) -> int:
        """Wait until every score is in; the signal that ended the wait, or 0."""
        ranks, left = self.trainer.ranks, self.scored.left
        if not ranks.told(bool(self.scored.queue)):
            return 0
        say("training is done, and scores are still to come")
        with bar("scores", left) as progress:
            while ranks.told(bool(self.scored.queue)):
                if stopped_by := ranks.any(stop()):
                    return stopped_by
                self._tell_scores()
                progress.advance(left - self.scored.left)
                left = self.scored.left
                time.sleep(WAIT_S)
        return 0

    def _due(self, every: int) -> bool:
        return due(self.trainer.steps_done, every, self.trainer.total)

    def _row_if_due(self) -> str:
        """Write a row of numbers if it is time to; go back if too many steps were left out."""
        if not self._due(self.trainer.config.log_every):
            return ""
        trainer = self.trainer
        left_out, longest = trainer.guard.report()
        steps = trainer.meter.steps
        row = trainer.meter.row(trainer.steps_done, trainer.lr(trainer.steps_done - 1))
        row |= {"skipped": left_out, "memory_bytes": peak_memory(trainer.ranks.device)}
        row |= self.speed.row(row, trainer.clock.seconds(steps))
        self._log(row)
        if left_out:
            say(f"step {trainer.steps_done:,}: {left_out} steps left out, as they went wrong")
        if longest >= trainer.config.guard.patience:
            self._go_back(longest)
        return note(row)

    def _go_back(self, longest: int) -> None:
        """Take the last good weights and go on with the data that comes next."""
        config, at = self.trainer.config.guard, self.trainer.steps_done
        good = self._newest_good()
        self.rollbacks = self.rollbacks + 1 if at <= self.place else 1
        self.place = max(at, self.place)
        if good is None or self.rollbacks > config.rollbacks:
            raise UserError(
                f"step {at:,}: {longest} steps in a row had no finite loss, or one far above the "
                f"mean, and {'there is no checkpoint' if good is None else 'going back'} "
                f"{'to go back to' if good is None else f'{config.rollbacks} times did not help'}",
                "lower --optim.peak-lr, set --optim.clip-norm 1, or start anew with --force",
            )
        self.trainer.go_back(self._restored(good))
        self.scored.leave(self.trainer.steps_done)
        self._log({"kind": "rollback", "step": at, "to": self.trainer.steps_done})
        say(
            f"step {at:,}: {longest} steps in a row were left out, so the run goes back to step "
            f"{self.trainer.steps_done:,} and on with the data that comes next"
        )

    def _newest_good(self) -> Path | None:
        """The newest checkpoint that was not written while steps went wrong."""
        path = self.checkpoints.newest()
        while path is not None and (state := read_state(path))["guard"]["streak"]:
            path = self.checkpoints.newest(before=state["step"])
        return path

    def _evaluate(self) -> bool:
        """Score the held-out blocks; whether they were never scored better."""
        trainer = self.trainer
        self.scores = trainer.evaluate()
        if self.scores is None:
            return False
        self._log({"kind": "valid"} | self.scores.row())
        if trainer.valid is not None and trainer.config.parallel.shard == "none":
            batch = next(iter(trainer.valid.after(0, trainer.config.micro_batch)))
            found = outliers(trainer.model, batch.to(trainer.ranks.device))
            self._log({"kind": "activations"} | found.row())
        say(f"step {trainer.steps_done:,}: held-out {self.scores.said()}")
        trainer.meter.rewind()
        if self.lowest is not None and self.scores.loss >= self.lowest:
            return False
        self.lowest = self.scores.loss
        return trainer.steps_done > 0

    def _save(self) -> None:
        trainer = self.trainer
        at_this_step = self.scores is not None and self._due(trainer.config.evaluate_every)
        loss = self.scores.loss if self.scores is not None and at_this_step else None
        state = {
            "inputs": self.inputs,
            "lowest": self.lowest,
            "rollbacks": self.rollbacks,
            "place": self.place,
        }
        self.checkpoints.save(
            trainer.steps_done,
            trainer.model,
            trainer.optimizer,
            trainer.state() | state,
            loss=loss,
        )

    def _restored(self, path: Path) -> dict[str, Any]:
        state = self.checkpoints.restore(path, self.trainer.model, self.trainer.optimizer)
        if state["inputs"] != self.inputs:
            raise UserError(
                f"{self.run.folder}: its run was begun on other tokens than these",
                "bring the tokens back, or start anew with --force",
            )
        return state

    def _stopped(self, number: int, progress: Bar) -> bool:
        """End after a signal: by Ctrl-C as interrupted, by SIGTERM as asked to."""
        name = signal.Signals(number).name
        self.checkpoints.wait()
        self._log({"kind": "stop", "signal": name})
        progress.advance(0, "stopped")
        if number == signal.SIGINT:
            raise KeyboardInterrupt
        say(f"{name}: saved at step {self.trainer.steps_done:,}; the same command goes on")
        return False

    def _log(self, row: dict[str, Any]) -> None:
        if self.trainer.ranks.first:
            log(self.run, self.tracker, row, step=self.trainer.steps_done)
