"""The cards of what was converted: what it is, what it was made from, how to load it."""

from pathlib import Path

from unmask.convert.writing import Writable
from unmask.model import huggingface
from unmask.model.heads import MaskedLM, SequenceClassifier

FOLDER = """\
---
library_name: transformers
tags: [roberta, fairseq, unmask]
---

# {name}

{what}, converted from fairseq's `{source}` (head `{head}`) with `unmask`. Dropout: {dropout:g} in
the encoder, {head_dropout:g} in heads, as the checkpoint records it.{labels}

```python
from transformers import {auto}, AutoTokenizer

model = {auto}.from_pretrained("{name}")
tokenizer = AutoTokenizer.from_pretrained("{name}")
```
"""
CHECKPOINT = """\
# {name}

{what}, written for fairseq with `unmask` from `{source}`.{labels}

```python
from fairseq.models.roberta import RobertaModel

roberta = RobertaModel.from_pretrained(
    "{name}",
    gpt2_encoder_json="{name}/encoder.json",
    gpt2_vocab_bpe="{name}/vocab.bpe",
)
```

`model.pt` is a pickle with an `argparse.Namespace` in it, as fairseq's own are; with torch 2.6 and
later, fairseq loads either only where `TORCH_FORCE_NO_WEIGHTS_ONLY_LOAD=1` is set. It has no state
of an optimizer: fine-tune from it with `--restore-file model.pt --reset-optimizer
--reset-dataloader --reset-meters`. The counts in `dict.txt` are made up: with
`--freq-weighted-replacement` every token would count as often as any other.
"""


def of_folder(model: Writable, name: str, source: Path, head: str) -> str:
    """Describe a model folder made from a checkpoint."""
    return FOLDER.format(
        name=name,
        what=_what(model),
        source=source,
        head=head,
        dropout=model.config.dropout,
        head_dropout=model.config.head_dropout,
        labels=_labels(model),
        auto=f"AutoModelFor{huggingface.architecture(model).partition('For')[2]}",
    )


def of_checkpoint(model: Writable, name: str, source: Path, head: str) -> str:
    """Describe a fairseq folder made from a model folder."""
    text = CHECKPOINT.format(name=name, what=_what(model), source=source, labels=_labels(model))
    if isinstance(model, MaskedLM):
        return text
    return (
        f'{text}\n`roberta.predict("{head}", tokens)` asks its head; its `lm_head` is all zeros.\n'
    )


def _what(model: Writable) -> str:
    config = model.config
    return (
        f"A {huggingface.architecture(model)} of {config.layers} layers, width {config.width}, "
        f"{config.heads} heads, vocabulary {config.vocabulary:,}"
    )


def _labels(model: Writable) -> str:
    if not isinstance(model, SequenceClassifier):
        return ""
    if len(model.labels) == 1:
        return "\nIts one output is a number; fairseq's STS-B divides scores by 5, to 0 ... 1."
    return f"\nClasses in order: {', '.join(model.labels)}."
