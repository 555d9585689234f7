"""One side of the step benchmark, as a process that computes only when it is asked to.

    python pretrain_side.py MAKER PRECISION COMPILE DEVICE SHAPE WEIGHTS

Questions come as lines of JSON on stdin, answers go to stdout:
    {"build": 16}    build for so many blocks a step and warm up -> loss, precision, or error
    {"steps": 5}     make so many updates -> seconds
    {"memory": true} -> bytes, the peak since the start (on a card: since the last build)
"""

import gc
import resource
import sys
import time
from pathlib import Path
from typing import Any

import torch
from live import Asked
from pretrain_shapes import SHAPES, TRIAL, Batch, Built, Work

from unmask.core import engine

WARM_UP = 3


class Side:
    """What one process holds."""

    def __init__(self, words: list[str]) -> None:
        self.maker, self.precision, self.compile, device, shape, weights = words
        self.device = torch.device(device)
        self.shape = ({**SHAPES[device], **TRIAL})[shape]
        self.weights = Path(weights)
        self.built: Built | None = None

    def answer(self, question: dict[str, Any]) -> dict[str, Any]:
        """Do what is asked."""
        match question:
            case {"build": int(blocks)}:
                return self.build(blocks)
            case {"steps": int(steps)}:
                return {"seconds": self.run(steps)}
            case _:
                return {"bytes": self.peak()}

    def build(self, blocks: int) -> dict[str, Any]:
        """Make the side ready; what it cannot do is an answer, too."""
        self.built = None
        self._free()
        try:
            batch = Batch.of(self.shape, blocks, self.device)
            self.built = self._build(Work(self.weights, batch, self.device))
            loss = self.built.loss()
            self.run(WARM_UP)
        except Exception as error:  # a side that fails is a row of the table
            self.built = None
            return {"error": f"{type(error).__name__}: {str(error).strip().splitlines()[:1]}"}
        return {"loss": loss, "precision": self.built.precision}

    def run(self, steps: int) -> float:
        """Seconds of so many updates, to the end of the last."""
        assert self.built is not None
        self._synchronize()
        started = time.perf_counter()
        for _ in range(steps):
            self.built.step()
        self._synchronize()
        seconds = time.perf_counter() - started
        if self.device.type == "cuda":
            torch.cuda.empty_cache()  # the other sides need the card while this one waits
        return seconds

    def peak(self) -> int:
        """Resident memory of the whole process; on a card, what its tensors took."""
        if self.device.type == "cuda":
            return torch.cuda.max_memory_allocated()
        unit = 1 if sys.platform == "darwin" else 1024
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit

    def _build(self, work: Work) -> Built:
        # Each side imports its own alone, so that its memory is its own.
        if self.maker == "unmask":
            from ours_pretraining import build
        else:
            from peers.transformers_step import build
        return build(work, self.precision, self.compile)

    def _free(self) -> None:
        gc.collect()
        torch._dynamo.reset()
        if self.device.type == "cuda":
            torch.cuda.empty_cache()
            torch.cuda.reset_peak_memory_stats()

    def _synchronize(self) -> None:
        if self.device.type == "cuda":
            torch.cuda.synchronize()


def main() -> None:
    """Answer until stdin ends."""
    asked = Asked()
    torch.set_num_threads(engine.cores())
    side = Side(sys.argv[1:])
    for question in asked:
        asked.answer(**side.answer(question))


if __name__ == "__main__":
    main()
