"""One side of the benchmark of fine-tuning, as a process that trains only when it is asked to.

    python finetune_side.py MAKER TASK BATCH FOLDER DEVICE PRECISION STEPS

Questions come as lines of JSON on stdin, answers go to stdout; the first one is:
    {"begin": true}  build the training -> loss, of some examples before the first step
Then, in any order, with at most STEPS updates in all:
    {"steps": 5}     make so many updates -> seconds, tokens
    {"memory": true} -> bytes, the peak since the start
"""

import sys
import time
from collections.abc import Iterator
from typing import Any

import torch
from finetune_cases import Work
from live import Asked

from unmask.core import engine
from unmask.train.memory import peak_memory


class Turns:
    """Lets a training go on for the steps that are asked for, and tells how long they took."""

    def __init__(
        self, asked: Asked, questions: Iterator[dict[str, Any]], device: torch.device
    ) -> None:
        self._asked, self._questions, self._device = asked, questions, device
        self._wanted = self._made = self._tokens = 0
        self._started = 0.0

    def go_on(self, tokens: int) -> bool:
        """Take in a step; where no more are wanted, wait until some are, or until stdin ends."""
        self._made += 1
        self._tokens += tokens
        if self._made < self._wanted:
            return True
        if self._wanted:
            self._synchronize()
            seconds = time.perf_counter() - self._started
            self._asked.answer(seconds=seconds, tokens=self._tokens)
        for question in self._questions:
            if "steps" in question:
                self._wanted, self._made, self._tokens = question["steps"], 0, 0
                self._started = time.perf_counter()
                return True
            self._asked.answer(bytes=peak_memory(self._device))
        return False

    def _synchronize(self) -> None:
        if self._device.type == "cuda":
            torch.cuda.synchronize()


def main() -> None:
    """Build one side, say where it begins, and train in turns."""
    asked = Asked()
    torch.set_num_threads(engine.cores())
    maker, *words = sys.argv[1:]
    work = Work.of(words)
    # Each side imports its own alone, so that its memory is its own.
    if maker == "unmask":
        from ours_finetuning import Training
    else:
        from peers.transformers_trainer import Training
    questions = iter(asked)
    next(questions)
    training = Training(work)
    asked.answer(loss=training.loss())
    training.run(Turns(asked, questions, torch.device(work.device)).go_on)


if __name__ == "__main__":
    main()
