"""Small stand-ins for what pretraining is made of: a plan, a masker, a model."""

import dataclasses
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import torch

from unmask.model.config import ModelConfig
from unmask.model.heads import MaskedLM, Pretraining
from unmask.model.init import initialise
from unmask.pretrain.batches import Batches
from unmask.pretrain.config import PretrainConfig
from unmask.pretrain.meter import NAMES, Meter
from unmask.pretrain.objective import Objective
from unmask.pretrain.trainer import Trainer
from unmask.tokens.plans.blocks import Blocks
from unmask.train.clock import Clock
from unmask.train.config import OptimConfig
from unmask.train.deadline import Deadline
from unmask.train.guard import Guard
from unmask.train.optimizer import adamw
from unmask.train.precision import LossScale
from unmask.train.ranks import Ranks

BOS, PAD, EOS, MASK, VOCABULARY = 0, 1, 2, 3, 40
CPU = torch.device("cpu")


@dataclasses.dataclass
class FakePlan:
    """Blocks of these lengths; in a pair, the first text token tells whether B follows A."""

    lengths_B: np.ndarray
    length: int = 32
    balanced: bool = False
    pairs: bool = False

    @property
    def count(self):
        return len(self.lengths_B)

    def read(self, block_B):
        column_L = np.arange(self.length)
        lengths_B = self.lengths_B[block_B].astype(np.int64)
        ids_BL = 6 + (block_B[:, None] * 7 + column_L * 3) % (VOCABULARY - 6)
        ids_BL[:, 0] = BOS
        ids_BL[:, 1] = 4 + block_B % 2
        ids_BL[column_L == lengths_B[:, None] - 1] = EOS
        ids_BL[column_L >= lengths_B[:, None]] = PAD
        if not self.pairs:
            return Blocks(ids_BL, lengths_B)
        second_BL = (column_L >= lengths_B[:, None] // 2) & (column_L < lengths_B[:, None])
        return Blocks(ids_BL, lengths_B, second_BL.astype(np.int64), block_B % 2 == 0)

    def report(self):
        return {"blocks": self.count, "tokens": int(self.lengths_B.sum()), "padding_share": 0.25}


def lengths(count=120, most=32, seed=0):
    return np.random.default_rng(seed).integers(6, most + 1, count).astype(np.uint32)


def masker(ids_BL, epoch_B, block_B):
    """Mask about a seventh of the text, at places that block and epoch decide."""
    place_BL = np.arange(ids_BL.shape[1]) + epoch_B[:, None] + block_B[:, None]
    masked_BL = (place_BL % 7 == 3) & (ids_BL >= 6)
    flat = np.flatnonzero(masked_BL)
    return SimpleNamespace(
        ids_BL=np.where(masked_BL, MASK, ids_BL), positions_M=flat, targets_M=ids_BL.ravel()[flat]
    )


def batches(plan, *, batch=12, micro_batch=4, typed=False):
    return Batches.of(plan, masker, 0, batch=batch, micro_batch=micro_batch, typed=typed)


def step(data, number=0):
    """The micro-batches of one step."""
    return list(data.after(number * data.blocks, data.blocks))


def sizes(family="bert", dropout=0.0):
    roberta = family == "roberta"
    return ModelConfig(
        family=family,
        vocabulary=VOCABULARY,
        layers=1,
        width=16,
        heads=2,
        feed_forward=24,
        max_length=32,
        types=1 if roberta else 2,
        norm_eps=1e-5,
        dropout=dropout,
        attention_dropout=dropout,
        init_std=0.2,
        pad_id=PAD,
    )


def config(**flags):
    steps = None if "budget_hours" in flags else 100
    flags = {"steps": steps, "warmup_steps": 0, "batch": 12, "micro_batch": 4} | flags
    rates = {"peak_lr": 1e-2, "clip_norm": 0.0}
    optim = OptimConfig(**{name: flags.pop(name, value) for name, value in rates.items()})
    return PretrainConfig(tokens=Path("t"), out=Path("o"), optim=optim, **flags)


def trainer(blocks, *, family="bert", dropout=0.0, valid=None, precision="fp32", **flags):
    """A trainer of a tiny model on the blocks of a plan."""
    settings = config(**flags)
    model = (Pretraining if blocks.pairs else MaskedLM)(sizes(family, dropout))
    initialise(model, seed=1)
    cut = {"micro_batch": settings.micro_batch, "typed": family == "bert"}
    return Trainer(
        config=settings,
        model=model,
        objective=Objective(model, precision),
        optimizer=adamw(model, settings.optim),
        train=batches(blocks, batch=settings.batch, **cut),
        valid=None if valid is None else batches(valid, batch=settings.valid_blocks, **cut),
        ranks=Ranks(CPU),
        guard=Guard(settings.guard, CPU),
        scale=LossScale.of(CPU) if precision == "fp16" else None,
        deadline=None if settings.budget_hours is None else Deadline(settings.budget_hours),
        clock=Clock(CPU),
        meter=Meter(),
    )


def last(one):
    """The numbers of a trainer's last step, by name."""
    return dict(zip(NAMES, one.meter.state()[-1], strict=True))


def parameters(one):
    return {name: tensor.detach().clone() for name, tensor in one.model.named_parameters()}


def assert_same(one, other):
    """The same tensors by name, to the bit."""
    assert one.keys() == other.keys()
    for name, tensor in one.items():
        assert torch.equal(tensor, other[name]), name
