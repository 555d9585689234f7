"""The proof, on the user's machine, that a run that was saved and started anew is the same run."""

import shutil
from collections.abc import Callable
from pathlib import Path

import torch

from unmask.core.errors import UserError
from unmask.core.progress import bar, say
from unmask.pretrain.trainer import Trainer
from unmask.train.checkpoint import Checkpoints
from unmask.train.ranks import Ranks

STEPS = 20


def verify(made: Callable[[], Trainer], out: Path, ranks: Ranks) -> None:
    """Train 20 steps, save, train 20 more; then start anew from what was saved and compare.

    Nothing is left behind. UserError if a loss or a weight differs by one bit.
    """
    folder = out / ".verify-resume"
    try:
        straight = made()
        _train(straight, "before")
        saved = Checkpoints(folder, keep=1, ranks=ranks)
        saved.save(STEPS, straight.model, straight.optimizer, straight.state())
        losses = _train(straight, "went on")
        path, resumed = saved.newest(), made()
        assert path is not None
        resumed.restore(saved.restore(path, resumed.model, resumed.optimizer))
        again = _train(resumed, "started anew")
        for trainer in (straight, resumed):
            trainer.ahead.close()
    finally:
        if ranks.first:
            shutil.rmtree(folder, ignore_errors=True)
            if out.exists() and not any(out.iterdir()):
                out.rmdir()
    _compare(losses, again, straight, resumed, ranks)
    say(
        f"resuming is exact here: {STEPS} losses and {sum(1 for _ in straight.model.parameters())} "
        "tensors of weights are the same to the bit"
    )


def _train(trainer: Trainer, title: str) -> list[list[float]]:
    trainer.meter.restart()
    with bar(title, STEPS) as progress:
        for _ in range(STEPS):
            trainer.step()
            progress.advance()
    return trainer.meter.state()


def _compare(
    losses: list[list[float]],
    again: list[list[float]],
    straight: Trainer,
    resumed: Trainer,
    ranks: Ranks,
) -> None:
    steps = [number for number, pair in enumerate(zip(losses, again, strict=True)) if _odd(*pair)]
    theirs = dict(resumed.model.named_parameters())
    names = [
        name for name, own in straight.model.named_parameters() if not _same(own, theirs[name])
    ]
    if ranks.any(int(bool(steps or names))):
        first = f"step {STEPS + steps[0] + 1}" if steps else names[0] if names else "another rank"
        raise UserError(
            f"resuming is not exact here: {first} differs",
            "a kernel of this device adds in no fixed order: try --device cpu, or --compile off",
        )


def _odd(one: list[float], other: list[float]) -> bool:
    return one != other


def _same(one: torch.Tensor, other: torch.Tensor) -> bool:
    local = [getattr(part, "to_local", lambda part=part: part)() for part in (one, other)]
    return torch.equal(*local)
