"""The model card of a pretrained model: what it is, how it was made, how to use it."""

from unmask.model.config import ModelConfig
from unmask.pretrain.config import PretrainConfig
from unmask.pretrain.evaluate import HeldOut

CARD = """\
---
library_name: transformers
pipeline_tag: fill-mask
tags: [{family}, masked-lm, unmask]
---

# {name}

A {family} encoder pretrained by masked-language modelling with `unmask`: {layers} layers, width
{width}, {heads} heads, feed-forward {feed_forward}, vocabulary {vocabulary:,}, {parameters:,}
parameters, sequences of up to {max_length} tokens.

| training | |
|---|---|
| steps | {steps:,} |
| blocks a step | {batch:,} of {length} tokens, format {input_format} |
| peak learning rate | {peak_lr:g}, {warmup_steps:,} steps of warm-up, then linear to 0 |
| masked | {probability:.0%} of the tokens |
| seed | {seed} |

{scores}

```python
from transformers import AutoModelForMaskedLM, AutoTokenizer

model = AutoModelForMaskedLM.from_pretrained("{name}")
tokenizer = AutoTokenizer.from_pretrained("{name}")
```

`manifest.json` says by hash which tokens and tokenizer it was made from; `unmask lineage` prints
the chain down to the text files. What the text contained, the model may repeat.
"""


def model_card(config: PretrainConfig, model: ModelConfig, scores: HeldOut | None) -> str:
    """Fill in the card."""
    return CARD.format(
        name=config.out.name,
        family=model.family,
        layers=model.layers,
        width=model.width,
        heads=model.heads,
        feed_forward=model.feed_forward,
        vocabulary=model.vocabulary,
        parameters=model.parameters(),
        max_length=model.max_length,
        steps=config.steps,
        batch=config.batch,
        length=config.length,
        input_format=config.input_format,
        peak_lr=config.optim.peak_lr,
        warmup_steps=config.warmup_steps,
        probability=config.masking.probability,
        seed=config.seed,
        scores=_scores(scores),
    )


def _scores(scores: HeldOut | None) -> str:
    if scores is None:
        return "The corpus had no held-out documents, so nothing was measured."
    return (
        f"On held-out blocks: loss {scores.loss:.3f} nats a masked token, perplexity "
        f"{scores.perplexity:,.1f}, masked accuracy {scores.accuracy:.1%} "
        f"({scores.masked_tokens:,} masked tokens)."
    )
