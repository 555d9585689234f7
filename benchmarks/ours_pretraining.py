"""One step of `unmask pretrain`, for measuring: the only file that knows how ours is built.

Legend: B blocks, L length, M masked positions, N masked positions of a block.
"""

import torch
from pretrain_shapes import Batch, Built, Compile, Precision, Work

from unmask.model import weights
from unmask.model.heads import MaskedLM
from unmask.pretrain.batches import MaskedBatch
from unmask.pretrain.objective import Counts, Objective
from unmask.train import memory
from unmask.train.compiling import compiled
from unmask.train.config import GuardConfig, OptimConfig
from unmask.train.guard import Guard
from unmask.train.optimizer import adamw
from unmask.train.precision import resolve_precision
from unmask.train.ranks import Ranks
from unmask.train.step import descend


def build(work: Work, precision: Precision, compile_: Compile) -> Built:
    """Build model and optimizer as `unmask pretrain` does with these settings."""
    resolved = resolve_precision(precision, work.device)
    assert resolved in ("fp32", "bf16")
    config, ranks = OptimConfig(), Ranks(work.device)
    model = weights.load(work.weights, MaskedLM).to(work.device)
    memory.keep_freed()
    objective = Objective(model, resolved)
    blocks, (count, length) = list(objective.encoder.blocks), work.batch.ids_BL.shape
    compiled(blocks, compile_, work.device, resolved, (count, length, model.config.width))
    optimizer, guard = adamw(model, config), Guard(GuardConfig(), work.device)
    batch = masked(work.batch)

    def step() -> None:
        objective.train()
        optimizer.zero_grad(set_to_none=True)
        counts = Counts.of([batch], ranks)
        sums = objective(batch)
        counts.mean_loss(sums).backward()
        loss = counts.means(sums.stacked()).whole
        descend(
            objective,
            optimizer,
            lr=config.peak_lr,
            clip_norm=config.clip_norm,
            loss=loss,
            guard=guard,
        )

    @torch.no_grad()
    def loss() -> float:
        return float(objective.eval()(batch).loss) / len(batch.targets_M)

    return Built(step, loss, resolved)


def masked(batch: Batch) -> MaskedBatch:
    """The batch as `unmask` reads it: the masked places of each block."""
    blocks, length = batch.ids_BL.shape
    return MaskedBatch(
        number=0,
        ids_BL=batch.ids_BL,
        mask_BL=None,
        types_BL=None,
        places_BN=(batch.positions_M % length).view(blocks, -1),
        asked_M=torch.arange(len(batch.positions_M), device=batch.ids_BL.device),
        targets_M=batch.targets_M,
        follows_B=None,
        tokens=batch.ids_BL.numel(),
    )
