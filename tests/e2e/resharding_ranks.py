"""What each of the processes does that test_resharding.py starts.

python resharding_ranks.py FOLDER first     two: train, save, restore sharded otherwise, save
python resharding_ranks.py FOLDER one       one: reads what each sharding saved, saves
python resharding_ranks.py FOLDER second    two: read what the one has saved
"""

import errno
import resource
import sys
from contextlib import contextmanager
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file
from torch import nn
from torch.distributed.fsdp import fully_shard
from torch.nn.parallel import DistributedDataParallel

from unmask.train.checkpoint import Checkpoints, read_state
from unmask.train.config import OptimConfig
from unmask.train.optimizer import adamw
from unmask.train.ranks import joined


class Model(nn.Module):
    """Sizes that two processes cannot share evenly, and one of which one process has nothing."""

    def __init__(self):
        super().__init__()
        self.first = nn.Linear(3, 5)
        self.norm = nn.LayerNorm(5)
        self.last = nn.Linear(5, 1)

    def forward(self, x):
        return self.last(self.norm(self.first(x)))


def sharded(model, *, gathered):
    fully_shard(model.first, reshard_after_forward=not gathered)
    return fully_shard(model, reshard_after_forward=not gathered)


WRAPPINGS = {
    "one": lambda model: model,
    "ddp": DistributedDataParallel,
    "zero2": lambda model: sharded(model, gathered=True),
    "zero3": lambda model: sharded(model, gathered=False),
}


def pair(wrapping, seed=1):
    torch.manual_seed(seed)
    model = WRAPPINGS[wrapping](Model())
    return model, adamw(model, OptimConfig(peak_lr=0.1))


def train(model, optimizer, steps, rank=0):
    for step in steps:
        torch.manual_seed(100 * rank + step)
        optimizer.zero_grad()
        model(torch.randn(4, 3)).square().mean().backward()
        optimizer.step()


def whole(tensor):
    gather = getattr(tensor, "full_tensor", None)
    return (gather() if gather else tensor).detach().clone().contiguous()


def content(model, optimizer):
    """Every tensor as a whole, by the parameter's number and not by any name."""
    found = {}
    for number, parameter in enumerate(model.parameters()):
        found[f"{number}"] = whole(parameter)
        for key, moment in optimizer.state[parameter].items():
            found[f"{number} {key}"] = whole(moment)
    return found


def require_same(one, other, where):
    assert one.keys() == other.keys(), where
    for name in one:
        assert torch.equal(one[name], other[name]), (where, name)


@contextmanager
def full_disk(limit_bytes, *, here):
    """No file of this process may grow beyond the limit."""
    _, most = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit_bytes if here else most, most))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (most, most))


def first(folder, ranks):
    """zero3 -> zero2 and ddp -> zero3; what they hold stays the same to the bit."""
    run = pair("zero3", seed=0)
    train(*run, range(3), ranks.rank)
    expected = content(*run)
    store = Checkpoints(folder / "zero3", keep=1, ranks=ranks)
    store.save(3, *run, {"blocks": 7})
    train(*run, range(3, 5), ranks.rank)  # goes on while the files are written
    for wrapping in ("zero2", "ddp"):
        after = pair(wrapping)
        assert store.restore(store.newest(), *after) == {"blocks": 7, "step": 3}
        require_same(content(*after), expected, wrapping)
        with torch.no_grad():
            after[0](torch.randn(4, 3))  # leaves the weights of zero2 gathered, as evaluation does
        other = Checkpoints(folder / wrapping, keep=1, ranks=ranks)
        other.save(3, *after, {"blocks": 7})
        back = pair("zero3")
        other.restore(other.newest(), *back)
        require_same(content(*back), expected, f"{wrapping} to zero3")
        train(*back, range(3, 5), ranks.rank)
        require_same(content(*back), content(*run), f"trained on, from {wrapping}")
    if ranks.first:
        save_file(expected, folder / "expected.safetensors")
    survive(store, run, full_disk(100, here=ranks.first))
    survive(store, run, full_disk(100, here=not ranks.first))
    survive(store, run, full_disk(10_000, here=ranks.first))  # enough for the tensors alone


def survive(store, run, full):
    """The disk of one process is full: all of them learn it, and what was there stays."""
    with full:
        store.save(5, *run, {"long": "x" * 20_000})
        with pytest.raises(OSError, match=r"step-5\.building") as caught:
            store.wait()
    assert caught.value.errno == errno.EFBIG
    newest = store.newest()
    assert newest is not None
    assert newest.name == "step-3"
    assert read_state(newest)["blocks"] == 7


def one(folder, ranks):
    """zero3, zero2 and ddp of two processes -> one process."""
    expected = load_file(folder / "expected.safetensors")
    for wrapping in ("zero3", "zero2", "ddp"):
        store = Checkpoints(folder / wrapping, keep=1, ranks=ranks)
        after = pair("one")
        assert store.restore(store.newest(), *after) == {"blocks": 7, "step": 3}
        require_same(content(*after), expected, wrapping)
    store = Checkpoints(folder / "one", keep=1, ranks=ranks)
    store.save(3, *after, {})
    store.wait()


def second(folder, ranks):
    """One process -> zero3, zero2 and ddp of two."""
    expected = load_file(folder / "expected.safetensors")
    store = Checkpoints(folder / "one", keep=1, ranks=ranks)
    for wrapping in ("zero3", "zero2", "ddp"):
        after = pair(wrapping)
        store.restore(store.newest(), *after)
        require_same(content(*after), expected, wrapping)


if __name__ == "__main__":
    torch.set_num_threads(1)
    work = {"first": first, "one": one, "second": second}[sys.argv[2]]
    with joined(torch.device("cpu"), timeout_minutes=3) as here:
        work(Path(sys.argv[1]), here)
