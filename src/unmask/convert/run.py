"""`unmask convert`: a checkpoint of fairseq in, a model folder out, and the other way round."""

from pathlib import Path

from unmask.convert import card, checkpoint, labels, models, vocabulary, writing
from unmask.convert.checkpoint import Checkpoint
from unmask.convert.config import ConvertConfig
from unmask.convert.writing import Writable
from unmask.core import config as configs
from unmask.core import files, manifests
from unmask.core.errors import UserError
from unmask.core.manifests import Input
from unmask.core.progress import say
from unmask.model import weights
from unmask.model.heads import MaskedLM
from unmask.tokenizer.tokenizer import Tokenizer

STAGE = "convert"
CHECKPOINT = "model.pt"
CARD = "README.md"
HEAD = "sentence_classification_head"
"""What fairseq's tasks call the one head that they train."""


def run(config: ConvertConfig) -> None:
    """Convert in the direction that --model shows."""
    path = _checkpoint(config.model)
    if path is None:
        _to_fairseq(config)
    else:
        _from_fairseq(config, path)


def _checkpoint(given: Path) -> Path | None:
    """Find the checkpoint that is meant; None for a model folder."""
    if not given.is_dir():
        return given  # a file, or nothing: reading it says so
    inside = given / CHECKPOINT
    if inside.is_file() and (given / weights.CONFIG).is_file():
        raise UserError(
            f"{given}: holds {CHECKPOINT} and {weights.CONFIG}, a model of either kind",
            f"name {inside}, or move it elsewhere",
        )
    return inside if inside.is_file() else None


def _from_fairseq(config: ConvertConfig, path: Path) -> None:
    if not path.is_file():
        raise UserError(f"{path}: no such file or folder", "name a checkpoint or a model folder")
    source = vocabulary.find(path.parent, config.tokenizer)
    named = labels.find(path.parent)
    inputs = _inputs(path, [*source.paths, *([named] if named else [])], config.out)
    settings = configs.plain(config)
    if manifests.is_done(config.out, STAGE, settings, inputs, force=config.force):
        return
    held = checkpoint.read(path)
    head = models.choose(held, config.head)
    model = _model(held, head, config.labels, named)
    tokenizer = vocabulary.read(source)
    vocabulary.refuse_another_model(tokenizer, model.config.vocabulary, path)
    with manifests.building(config.out) as folder:
        weights.save(model, folder)
        tokenizer.save(folder, model_max_length=model.config.max_length)
        files.write_text(folder / CARD, card.of_folder(model, config.out.name, path, head))
        manifests.write(folder, STAGE, settings, inputs, _facts(model, head))
    say(f"{config.out}: {type(model).__name__}, {_size(model)}")


def _inputs(path: Path, companions: list[Path], out: Path) -> list[Input]:
    """Refer to the checkpoint's folder if a stage wrote it, else to the files that are read."""
    beside = path.parent
    if not (beside / manifests.NAME).exists():
        return [
            *manifests.file_inputs("checkpoint", [path]),
            *manifests.file_inputs("companion", companions),
        ]
    elsewhere = [one for one in companions if beside not in one.parents]
    return [
        manifests.artifact_input("checkpoint", beside, out),
        *manifests.file_inputs("companion", elsewhere),
    ]


def _model(held: Checkpoint, head: str, given: tuple[str, ...], named: Path | None) -> Writable:
    """Build the model that a head makes; names of classes are for a classifier alone."""
    classified = head in held.heads and not held.ranks(head)
    if classified:
        names = labels.of_head(head, held.classes(head), given, named)
        return models.classifier(held, head, names)
    if given:
        raise UserError(f"--labels: the head {head} has no classes", "leave the flag out")
    return models.multiple_choice(held, head) if head in held.heads else models.masked_lm(held)


def _to_fairseq(config: ConvertConfig) -> None:
    for flag, given in (("--tokenizer", config.tokenizer), ("--labels", config.labels)):
        if given:
            raise UserError(
                f"{flag} does not go with the model folder {config.model}",
                "the folder brings its own; leave the flag out",
            )
    inputs = manifests.folder_inputs("model", config.model, config.out)
    settings = configs.plain(config)
    if manifests.is_done(config.out, STAGE, settings, inputs, force=config.force):
        return
    kind = weights.head_of(config.model)
    model = writing.refuse_unfit(weights.load(config.model, kind), config.model)
    head = _head(model, config)
    tokenizer = Tokenizer.load(config.model)
    spelling = vocabulary.Spelling.of(tokenizer, model.config.vocabulary, config.model)
    with manifests.building(config.out) as folder:
        writing.write(model, head, folder / CHECKPOINT)
        spelling.save(folder)
        names = weights.labels_of(config.model)
        if len(names) > 1:
            labels.save(names, folder)
        text = card.of_checkpoint(model, config.out.name, config.model, head)
        files.write_text(folder / CARD, text)
        manifests.write(folder, STAGE, settings, inputs, _facts(model, head))
    say(f"{config.out / CHECKPOINT}: {type(model).__name__}, {_size(model)}")


def _head(model: Writable, config: ConvertConfig) -> str:
    """Name the head as fairseq will know it; that of a masked language model has its name."""
    if not isinstance(model, MaskedLM):
        if config.head == models.LM:
            raise UserError(f"--head {models.LM}: is the masked language model's", "name another")
        return config.head or HEAD
    if config.head is not None:
        raise UserError(
            f"--head {config.head}: {config.model} is a masked language model, whose head "
            f"fairseq calls {models.LM}",
            "leave the flag out",
        )
    return models.LM


def _facts(model: Writable, head: str) -> dict[str, object]:
    return {"kind": type(model).__name__, "head": head, "vocabulary": model.config.vocabulary}


def _size(model: Writable) -> str:
    return f"{sum(parameter.numel() for parameter in model.parameters()):,} parameters"
