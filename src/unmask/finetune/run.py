"""`unmask finetune`: a model folder and labelled text in, a classifier's model folder out."""

import dataclasses
from pathlib import Path

from unmask.core import config as configs
from unmask.core import manifests
from unmask.core.manifests import Input
from unmask.core.progress import say
from unmask.core.runs import Run
from unmask.finetune import table
from unmask.finetune.card import model_card
from unmask.finetune.config import FinetuneConfig
from unmask.finetune.examples import Examples
from unmask.finetune.trainer import Best, Trainer
from unmask.model import weights
from unmask.model.heads import SequenceClassifier
from unmask.model.init import initialise
from unmask.tokenizer.tokenizer import Tokenizer
from unmask.train.precision import resolve_device, resolve_precision

STAGE = "finetune"


def run(config: FinetuneConfig) -> None:
    """Train, keep the epoch that is best on dev, and write `model/`."""
    out = config.out / "model"
    tables = [table.find(config.data, split) for split in ("train", "dev")]
    inputs = [
        *manifests.folder_inputs("model", config.model, out),
        *manifests.file_inputs("labelled text", tables),
    ]
    if manifests.is_done(out, STAGE, configs.plain(config), inputs, force=config.force):
        return
    tokenizer = Tokenizer.load(config.model)
    trainer = _build(config, tokenizer, *tables)
    # An unfinished fine-tuning is short and is begun again, so its folder is always taken over.
    run_folder = Run.open(config.out, config, force=config.force or _unfinished(config.out))
    best = trainer.fit(run_folder)
    _write_model(out, trainer, tokenizer, inputs, best)
    scores = ", ".join(f"{name} {score:.3f}" for name, score in best.scores.items())
    say(f"best epoch {best.epoch}, on dev: {scores}; model: {out}")


def _unfinished(folder: Path) -> bool:
    return (folder / "config.toml").exists() and not (folder / "model" / manifests.NAME).exists()


def _build(config: FinetuneConfig, tokenizer: Tokenizer, train: Path, dev: Path) -> Trainer:
    rows = table.read(train, config.columns)
    labels = label_names({row.label for row in rows})
    device = resolve_device(config.device)
    model = _model(config, labels)
    max_length = min(config.max_length, model.config.max_length)
    train_examples, dev_examples = (
        Examples.encode(part, labels, tokenizer, max_length)
        for part in (rows, table.read(dev, config.columns))
    )
    counts = f"{len(train_examples.label_N):,} and {len(dev_examples.label_N):,}"
    say(f"{counts} examples to train and for dev, {len(labels)} labels")
    precision = resolve_precision(config.precision, device)
    return Trainer(
        config, model.to(device), tokenizer.pad_id, precision, train_examples, dev_examples
    )


def _model(config: FinetuneConfig, labels: tuple[str, ...]) -> SequenceClassifier:
    model = weights.load_encoder(config.model, SequenceClassifier, labels=labels, seed=config.seed)
    if config.weights == "random":
        initialise(model, config.seed)
    if config.dropout is None:
        return model
    changed = dataclasses.replace(
        model.config, dropout=config.dropout, attention_dropout=config.dropout
    )
    same = SequenceClassifier(changed, labels)
    same.load_state_dict(model.state_dict())
    return same


def label_names(found: set[str]) -> tuple[str, ...]:
    """Number the labels in a fixed order: by value if all are integers, else by name."""
    if all(label.lstrip("-").isdigit() for label in found):
        return tuple(sorted(found, key=int))
    return tuple(sorted(found))


def _write_model(
    out: Path, trainer: Trainer, tokenizer: Tokenizer, inputs: list[Input], best: Best
) -> None:
    facts = {"best_epoch": best.epoch} | {f"dev_{k}": v for k, v in best.scores.items()}
    with manifests.building(out) as folder:
        weights.save(trainer.model, folder)
        tokenizer.save(folder, model_max_length=trainer.model.config.max_length)
        card = model_card(trainer.config, trainer.model.labels, best.epoch, best.scores)
        (folder / "README.md").write_text(card, encoding="utf-8")
        manifests.write(folder, STAGE, configs.plain(trainer.config), inputs, facts)
