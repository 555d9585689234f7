"""The model card of a pretrained model: what it is, how it was made, how to use it."""

from unmask.model import huggingface
from unmask.model.heads import Model, Pretraining
from unmask.pretrain.evaluate import HeldOut
from unmask.pretrain.objective import PretrainModel
from unmask.pretrain.trainer import Trainer

SCHEDULES = {
    "linear": "linear to the end",
    "cosine": "a cosine to the end",
    "stable": "stable, linear at the end",
}
CARD = """\
---
library_name: transformers
pipeline_tag: fill-mask
tags: [{family}, masked-lm, unmask]
---

# {name}

A {family} encoder pretrained by {objective} with `unmask`: {layers} layers, width
{width}, {heads} heads, feed-forward {feed_forward}, vocabulary {vocabulary:,}, {parameters:,}
parameters, sequences of up to {max_length} tokens.{left_out}

| training | |
|---|---|
| steps | {steps:,} |
| blocks a step | {blocks:,} of up to {length} tokens, input format {plan} |
| peak learning rate | {peak_lr:g}, {warmup_steps:,} steps of warm-up, then {schedule} |
| masked | {probability:.0%} of the tokens |
| seed | {seed} |

{scores}

```python
from transformers import {auto}, AutoTokenizer

model = {auto}.from_pretrained("{name}")
tokenizer = AutoTokenizer.from_pretrained("{name}")
```

`manifest.json` says by hash which tokens and tokenizer it was made from; `unmask lineage` prints
the chain down to the text files. What the text contained, the model may repeat.
"""


LEFT_OUT = """

The head of next-sentence prediction is not in this folder, because transformers has no RoBERTa
class with it; the run's checkpoints hold it."""


def publishable(model: PretrainModel) -> Model:
    """The part of the model that transformers has a class for.

    BERT with its next-sentence head is BertForPreTraining. For the RoBERTa family there is no such
    class, so the model folder is a RobertaForMaskedLM and the head stays in the checkpoints.
    """
    if isinstance(model, Pretraining) and model.config.family == "roberta":
        return model.lm
    return model


def model_card(trainer: Trainer, model: Model, scores: HeldOut | None) -> str:
    """Fill in the card of what is published."""
    config, sizes = trainer.config, trainer.model.config
    pairs = isinstance(trainer.model, Pretraining)
    both = "masked-language modelling and next-sentence prediction"
    architecture = huggingface.architecture(model)
    return CARD.format(
        name=config.out.name,
        family=sizes.family,
        objective=both if pairs else "masked-language modelling",
        layers=sizes.layers,
        width=sizes.width,
        heads=sizes.heads,
        feed_forward=sizes.feed_forward,
        vocabulary=sizes.vocabulary,
        parameters=sum(parameter.numel() for parameter in model.parameters()),
        max_length=sizes.max_length,
        left_out=LEFT_OUT if pairs and sizes.family == "roberta" else "",
        steps=trainer.steps_done,
        blocks=trainer.train.blocks,
        length=config.length,
        plan=config.plan,
        peak_lr=config.optim.peak_lr,
        warmup_steps=trainer.warmup,
        schedule=SCHEDULES[config.schedule.shape],
        probability=config.masking.probability,
        seed=config.seed,
        scores=_scores(scores),
        auto=f"AutoModelFor{architecture.partition('For')[2]}",
    )


def _scores(scores: HeldOut | None) -> str:
    if scores is None:
        return "There were no held-out blocks, so nothing was measured."
    words = (
        f"On held-out blocks: loss {scores.loss:.3f} nats a masked token, perplexity "
        f"{scores.perplexity:,.1f}, masked accuracy {scores.accuracy:.1%} "
        f"({scores.masked_tokens:,} masked tokens)."
    )
    if scores.nsp_accuracy is None:
        return words
    return (
        f"{words} Of pairs: loss {scores.nsp_loss:.3f} nats, {scores.nsp_accuracy:.1%} told right."
    )
