"""The model card of a fine-tuned classifier."""

from unmask.finetune.config import FinetuneConfig

CARD = """\
---
library_name: transformers
pipeline_tag: text-classification
tags: [unmask]
---

# {name}

A text classifier fine-tuned with `unmask` from `{model}` ({weights} weights) on `{data}`.
Labels: {labels}.

| training | |
|---|---|
| epochs | {epochs}, best {best_epoch} (by {metric} on dev) |
| examples a step | {batch} |
| peak learning rate | {peak_lr:g} |
| seed | {seed} |

| score on dev | |
|---|---|
{scores}

The epoch was chosen on dev, so these scores are a little too good: quote those of
`unmask evaluate` on data that was not looked at. `unmask lineage` prints what it was made from.
"""


def model_card(
    config: FinetuneConfig, labels: tuple[str, ...], best_epoch: int, scores: dict[str, float]
) -> str:
    """Fill in the card."""
    return CARD.format(
        name=config.out.name,
        model=config.model,
        weights=config.weights,
        data=config.data,
        labels=", ".join(labels),
        epochs=config.epochs,
        best_epoch=best_epoch,
        metric=config.metric,
        batch=config.batch,
        peak_lr=config.optim.peak_lr,
        seed=config.seed,
        scores="\n".join(f"| {name} | {value:.4f} |" for name, value in scores.items()),
    )
