"""One pretraining step, ours beside transformers', in turns in one process.

    python benchmarks/pretrain_step.py

Same sizes, batch and masked positions, bf16 autocast, fused AdamW, dropout 0.1 on both sides.
transformers computes its head at every position; ours at the masked ones.
"""

import time
from collections.abc import Callable

import results
import torch
import transformers
from results import spread
from torch.nn import functional as F

from unmask.model.config import ModelConfig
from unmask.model.heads import MaskedLM
from unmask.model.init import initialise
from unmask.train.config import OptimConfig, Precision
from unmask.train.optimizer import adamw
from unmask.train.precision import autocast, resolve_precision

BATCH, LENGTH, MASKED = 16, 128, 307
ROUNDS, STEPS = 7, 5
SHAPES = {
    "L=4 D=256 V=8,192": {"layers": 4, "width": 256, "vocabulary": 8192},
    "L=4 D=256 V=50,265": {"layers": 4, "width": 256, "vocabulary": 50265},
}


def main() -> None:
    """Measure every shape and write the result file."""
    device = torch.device("cpu")
    precision = resolve_precision("auto", device)
    rows, samples = [], {}
    for name, shape in SHAPES.items():
        data = batch(shape["vocabulary"])
        steps = {
            "unmask": our_step(shape, data, precision),
            "transformers": their_step(shape, data, precision),
        }
        speeds = measure(steps)
        samples[name] = speeds
        rows.append(row(name, precision, speeds))
        print(rows[-1], flush=True)
    results.write(
        "pretrain-step-cpu",
        title="Pretraining step on the CPU",
        text=f"Tokens/s of a full update on {BATCH} x {LENGTH} tokens: the median of {ROUNDS} "
        f"rounds of {STEPS} steps, both sides in turns, and the range. The ratio is that of each "
        "pair of rounds.",
        rows=rows,
        samples=samples,
    )


def batch(vocabulary: int) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Random ids, ascending masked positions and their targets."""
    dice = torch.Generator().manual_seed(0)
    ids_BL = torch.randint(4, vocabulary - 1, (BATCH, LENGTH), generator=dice)
    positions_M = torch.randperm(BATCH * LENGTH, generator=dice)[:MASKED].sort().values
    return ids_BL, positions_M, ids_BL.flatten()[positions_M]


def our_step(
    shape: dict[str, int], data: tuple[torch.Tensor, ...], precision: Precision
) -> Callable[[], None]:
    """A step of unmask."""
    ids_BL, positions_M, targets_M = data
    config = ModelConfig(
        family="roberta",
        vocabulary=shape["vocabulary"],
        layers=shape["layers"],
        width=shape["width"],
        heads=shape["width"] // 64,
        feed_forward=4 * shape["width"],
        max_length=LENGTH,
        types=1,
        norm_eps=1e-5,
        pad_id=1,
    )
    model = MaskedLM(config)
    initialise(model, 0)
    model.train()
    optimizer = adamw(model, OptimConfig())

    def step() -> None:
        optimizer.zero_grad(set_to_none=True)
        with autocast(precision, ids_BL.device):
            logits_MV = model(ids_BL, positions_M=positions_M)
        F.cross_entropy(logits_MV.float(), targets_M).backward()
        optimizer.step()

    return step


def their_step(
    shape: dict[str, int], data: tuple[torch.Tensor, ...], precision: Precision
) -> Callable[[], None]:
    """A step of transformers with SDPA attention."""
    ids_BL, positions_M, targets_M = data
    labels_BL = torch.full_like(ids_BL, -100)
    labels_BL.view(-1)[positions_M] = targets_M
    config = transformers.RobertaConfig(
        vocab_size=shape["vocabulary"],
        num_hidden_layers=shape["layers"],
        hidden_size=shape["width"],
        num_attention_heads=shape["width"] // 64,
        intermediate_size=4 * shape["width"],
        max_position_embeddings=LENGTH + 2,
        type_vocab_size=1,
        layer_norm_eps=1e-5,
        attn_implementation="sdpa",
    )
    model = transformers.RobertaForMaskedLM(config).train()
    optimizer = torch.optim.AdamW(model.parameters(), lr=6e-4, fused=True)
    mask_BL = torch.ones_like(ids_BL)

    def step() -> None:
        optimizer.zero_grad(set_to_none=True)
        with autocast(precision, ids_BL.device):
            loss = model(ids_BL, attention_mask=mask_BL, labels=labels_BL).loss
        loss.backward()
        optimizer.step()

    return step


def measure(steps: dict[str, Callable[[], None]]) -> dict[str, list[float]]:
    """Tokens/s of each side in turns, after a warm-up."""
    for step in steps.values():
        step()
        step()
    speeds: dict[str, list[float]] = {name: [] for name in steps}
    for _ in range(ROUNDS):
        for name, step in steps.items():
            started = time.perf_counter()
            for _ in range(STEPS):
                step()
            speeds[name].append(STEPS * BATCH * LENGTH / (time.perf_counter() - started))
    return speeds


def row(name: str, precision: str, speeds: dict[str, list[float]]) -> dict[str, str]:
    """One line of the table."""
    pairs = zip(speeds["unmask"], speeds["transformers"], strict=True)
    ratios = [ours / theirs for ours, theirs in pairs]
    return {
        "shape": name,
        "precision": precision,
        **{side: spread(values, ",.0f") for side, values in speeds.items()},
        "ratio": spread(ratios, ".2f"),
    }


if __name__ == "__main__":
    main()
