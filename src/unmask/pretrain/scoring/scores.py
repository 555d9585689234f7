"""Scores during pretraining: the model as it is, fine-tuned on tasks while training goes on.

scores/step-1000/model/             until all tasks are done, or for good where one failed
                 SST-2-seed-0/      a fine-tuning, until its score is known
                 SST-2-seed-0.log   what it says; kept if it failed
                 scores.json        what is known: see sheet.py
"""

import dataclasses
import shutil
import time
from collections import deque
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import torch

from unmask.core import manifests
from unmask.core.progress import say
from unmask.pretrain.config import ScoresConfig
from unmask.pretrain.scoring import tasks
from unmask.pretrain.scoring.sheet import Entry, Sheet
from unmask.pretrain.scoring.tuning import Tuning
from unmask.train.ranks import Ranks
from unmask.train.step import due

MODEL = "model"
PREFIX = "step-"

Row = dict[str, Any]


@dataclasses.dataclass(slots=True)
class Scores:
    """Fine-tunings of a run, one at a time in the background; only the first process has any."""

    config: ScoresConfig
    folder: Path
    ranks: Ranks
    publish: Callable[[Path], None]
    """Writes the model as it is to a folder; called by all processes."""
    queue: deque[tuple[Sheet, Path]] = dataclasses.field(default_factory=deque)
    """The tasks to come, in the order of steps; the first one is at work."""
    tuning: Tuning | None = None
    warned: bool = False

    def resume(self, step: int, total: int) -> None:
        """Go on with what was left unfinished up to a step; called by all processes.

        What was begun after it waits until the run is there again: if the model is the same
        then, so are its scores.
        """
        if self.ranks.first:
            for place in self._places():
                sheet = Sheet.read(place)
                if sheet is not None and sheet.step <= step:
                    self._queue(sheet)
                    self._tidy(sheet)
        begun = self.ranks.told((self._place(step) / "scores.json").exists())
        if not begun:
            self.begin(step, total)

    def begin(self, step: int, total: int) -> bool:
        """Set out to score the model as it is, if it is time to; called by all processes."""
        if not self.config.tasks or not due(step, self.config.every, total):
            return False
        place = self._place(step)
        self.publish(place / MODEL)
        if not self.ranks.first:
            return True
        digest = manifests.read(place / MODEL).digest
        sheet = Sheet.read(place)
        if sheet is None or sheet.model != digest:
            entries = {task.name: Entry() for task in self.config.tasks}
            sheet = Sheet(place, step, digest, entries)
        for entry in sheet.tasks.values():
            entry.told = entry.failed = False
        sheet.save()
        self._queue(sheet)
        return True

    def collect(self) -> Iterator[Row]:
        """Yield the rows of what is done by now, and begin what comes next; never waits."""
        while self.queue:
            sheet, task = self.queue[0]
            entry = sheet.tasks[task.name]
            if self.tuning is not None:
                if self.tuning.going:
                    return
                self._take(self.tuning, sheet, task)
            if len(entry.values) < self.config.seeds and not entry.failed:
                self.tuning = self._begun(sheet, task, seed=len(entry.values))
                return
            if not entry.failed:
                yield _row(sheet.step, task.name, entry)
            # Only now: a kill before the row was written must not lose it.
            entry.told = True
            sheet.save()
            self.queue.popleft()
            self._tidy(sheet)

    @property
    def left(self) -> int:
        """Fine-tunings that are not done yet."""
        done = sum(len(sheet.tasks[task.name].values) for sheet, task in self.queue)
        return len(self.queue) * self.config.seeds - done

    def leave(self, step: int) -> None:
        """Forget what belongs to later steps, as the run goes back to this one."""
        if not self.ranks.first:
            return
        if self.queue and self.queue[0][0].step > step:
            self.close()
        self.queue = deque(item for item in self.queue if item[0].step <= step)
        for place in self._places():
            if _step(place) > step:
                shutil.rmtree(place)

    def close(self) -> None:
        """End what still runs; the same command makes it again."""
        if self.tuning is not None:
            self.tuning.end()
            self.tuning = None

    def _queue(self, sheet: Sheet) -> None:
        untold = [task for task in self.config.tasks if not sheet.tasks[task.name].told]
        self.queue.extend((sheet, task) for task in untold)

    def _begun(self, sheet: Sheet, task: Path, seed: int) -> Tuning:
        # Of the threads that training has, half: they compete for the same cores.
        threads = max(1, torch.get_num_threads() // 2)
        device = self.ranks.device.type
        if not self.warned:
            where = "card" if device == "cuda" else f"cores ({threads} thread{'s' * (threads > 1)})"
            say(f"scores: fine-tuning shares the {where} with training and slows it down meanwhile")
            self.warned = True
        recipes = [f"--recipe={recipe}" for recipe in tasks.recipes(self.config, (task,))]
        ours = f"--data={task}", f"--model={sheet.folder / MODEL}", f"--seed={seed}"
        out = sheet.folder / f"{task.name}-seed-{seed}"
        return Tuning.begun([f"--device={device}", *recipes, *ours], out, threads)

    def _take(self, tuning: Tuning, sheet: Sheet, task: Path) -> None:
        """Write down what a finished process has found."""
        entry, found = sheet.tasks[task.name], tuning.score()
        if found is None:
            entry.failed = True
            why = tuning.complaint()
            say(f"step {sheet.step:,}: {task.name} has no score, see {tuning.log} ({why})")
        else:
            entry.metric = found[0]
            entry.values.append(found[1])
            tuning.forget()
        sheet.save()
        self.tuning = None

    def _tidy(self, sheet: Sheet) -> None:
        """Remove the model once nothing will ask for it; where a task failed, a person may."""
        entries = sheet.tasks.values()
        if all(entry.told for entry in entries) and not any(entry.failed for entry in entries):
            shutil.rmtree(sheet.folder / MODEL, ignore_errors=True)

    def _place(self, step: int) -> Path:
        return self.folder / f"{PREFIX}{step}"

    def _places(self) -> list[Path]:
        return sorted(self.folder.glob(f"{PREFIX}*"), key=_step)


def _row(step: int, task: str, entry: Entry) -> Row:
    values = entry.values
    mean, low, high = sum(values) / len(values), min(values), max(values)
    seeds = f"{len(values)} seed{'s' * (len(values) > 1)}"
    say(f"step {step:,}: {task} {entry.metric} {mean:.3f}, {low:.3f} to {high:.3f} in {seeds}")
    return {
        "kind": "scores",
        "step": step,
        "time": time.time(),
        "task": task,
        "metric": entry.metric,
        "mean": mean,
        "low": low,
        "high": high,
        "values": values,
    }


def _step(place: Path) -> int:
    return int(place.name.removeprefix(PREFIX))
