"""One step of transformers: RobertaForMaskedLM with SDPA, its collator's labels, fused AdamW."""

from contextlib import nullcontext

import torch
import transformers
from pretrain_shapes import Built, Compile, Precision, Work


def build(work: Work, precision: Precision, compile_: Compile) -> Built:
    """Build model and optimizer; labels are -100 everywhere but at the masked positions."""
    assert precision != "auto"
    assert compile_ != "auto"
    transformers.utils.logging.disable_progress_bar()
    model = transformers.RobertaForMaskedLM.from_pretrained(
        work.weights, attn_implementation="sdpa", dtype=torch.float32
    ).to(work.device)
    optimizer = torch.optim.AdamW(
        model.parameters(), lr=6e-4, betas=(0.9, 0.98), eps=1e-6, weight_decay=0.01, fused=True
    )
    computed = torch.compile(model) if compile_ == "on" else model
    batch = work.batch
    labels_BL = torch.full_like(batch.ids_BL, -100)
    labels_BL.view(-1)[batch.positions_M] = batch.targets_M
    mask_BL = torch.ones_like(batch.ids_BL)

    def mean_loss(model: torch.nn.Module) -> torch.Tensor:
        half = torch.autocast(work.device.type, dtype=torch.bfloat16)
        with half if precision == "bf16" else nullcontext():
            return model(batch.ids_BL, attention_mask=mask_BL, labels=labels_BL).loss

    def step() -> None:
        model.train()
        optimizer.zero_grad(set_to_none=True)
        mean_loss(computed).backward()
        optimizer.step()

    @torch.no_grad()
    def loss() -> float:
        return float(mean_loss(model.eval()))

    return Built(step, loss, precision)
