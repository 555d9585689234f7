"""The model card of a fine-tuned model."""

from unmask.finetune.config import FinetuneConfig
from unmask.finetune.task import Facts, Task
from unmask.model.heads import (
    Model,
    MultipleChoice,
    SequenceClassifier,
    SpanExtractor,
    TokenClassifier,
)

CARD = """\
---
library_name: transformers
pipeline_tag: {pipeline}
tags: [unmask]
---

# {name}

{what} fine-tuned with `unmask` from `{model}` ({weights} weights) on `{data}` (task `{task}`).
{labels}
| training | |
|---|---|
| kept | step {steps} (epoch {best_epoch:g}), the best by {metric} on dev |
| examples a step | {batch} |
| peak learning rate | {peak_lr:g} |
| seed | {seed} |

| score on dev | |
|---|---|
{scores}

The moment was chosen on dev, so these scores are a little too good: quote those of
`unmask evaluate` on data that was not looked at. `unmask lineage` prints what it was made from.
"""
KINDS: dict[type[Model], tuple[str, str]] = {
    SequenceClassifier: ("text-classification", "A text classifier"),
    TokenClassifier: ("token-classification", "An entity recogniser"),
    SpanExtractor: ("question-answering", "A model that finds answers in a context"),
    MultipleChoice: ("multiple-choice", "A model that chooses one of several answers"),
}


def model_card(config: FinetuneConfig, task: Task, facts: Facts) -> str:
    """Fill in the card."""
    pipeline, what = KINDS[task.head.kind]
    scores = {name.removeprefix("dev_"): facts[name] for name in facts if name.startswith("dev_")}
    return CARD.format(
        pipeline=pipeline,
        what=what,
        name=config.out.name,
        model=config.init_from or config.model,
        weights=config.weights,
        data=config.data,
        task=config.task,
        labels=f"Labels: {', '.join(task.head.labels)}.\n" if task.head.labels else "",
        steps=facts["best_step"],
        best_epoch=facts["best_epoch"],
        metric=task.metric,
        batch=config.batch,
        peak_lr=config.optim.peak_lr,
        seed=config.seed,
        scores="\n".join(f"| {name} | {value:.4f} |" for name, value in scores.items()),
    )
