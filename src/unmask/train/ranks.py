"""This process among those of a run: one alone, or as many as torchrun started."""

import dataclasses
import datetime
import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TypeVar

import torch
from torch import distributed

from unmask.core import progress
from unmask.core.errors import UserError

T = TypeVar("T")


@dataclasses.dataclass(frozen=True, slots=True)
class Ranks:
    """Which process this is, of how many, and where it computes."""

    device: torch.device
    rank: int = 0
    size: int = 1

    @property
    def first(self) -> bool:
        """Whether this process is the one that talks and writes."""
        return self.rank == 0

    def sum(self, tensor: torch.Tensor) -> torch.Tensor:
        """Add up over all processes, in place."""
        if self.size > 1:
            distributed.all_reduce(tensor)
        return tensor

    def any(self, here: int) -> int:
        """The largest number of any process, such as a flag or a signal; all of them learn it."""
        if self.size == 1:
            return here
        flag = torch.tensor(here)  # in main memory: no card is waited for
        distributed.all_reduce(flag, distributed.ReduceOp.MAX)
        return int(flag)

    def told(self, value: T) -> T:
        """What the first process has; all of them learn it."""
        if self.size == 1:
            return value
        box = [value]
        distributed.broadcast_object_list(box, src=0, device=torch.device("cpu"))
        return box[0]

    def gathered(self, items: list[T]) -> list[T]:
        """The items of all processes, the first one's first; all of them learn them."""
        if self.size == 1:
            return items
        boxes: list[list[T]] = [[] for _ in range(self.size)]
        distributed.all_gather_object(boxes, items)
        return [item for box in boxes for item in box]

    def wait(self) -> None:
        """Go on when all have come here."""
        if self.size > 1:
            distributed.barrier()


@contextmanager
def joined(device: torch.device, timeout_minutes: float) -> Iterator[Ranks]:
    """Join the processes that torchrun started; without it, be the only one.

    Gloo connects processors and NCCL cards; a collective that waits longer than the timeout ends
    the run instead of hanging for ever.
    """
    size = int(os.environ.get("WORLD_SIZE", "1"))
    if size == 1:
        yield Ranks(device)
        return
    device = _own(device)
    distributed.init_process_group(
        "cpu:gloo,cuda:nccl" if device.type == "cuda" else "gloo",
        timeout=datetime.timedelta(minutes=timeout_minutes),
    )
    ranks = Ranks(device, distributed.get_rank(), size)
    try:
        with progress.quiet(unless=ranks.first):
            yield ranks
    finally:
        distributed.destroy_process_group()


def _own(device: torch.device) -> torch.device:
    """The card of this process: as many processes a machine as it has cards."""
    if device.type != "cuda":
        return device
    local, cards = int(os.environ.get("LOCAL_RANK", "0")), torch.cuda.device_count()
    if local >= cards:
        raise UserError(
            f"process {local} of this machine has no card of its own: there are {cards}",
            f"torchrun --nproc-per-node {cards}, or --device cpu",
        )
    torch.cuda.set_device(local)
    return torch.device("cuda", local)
