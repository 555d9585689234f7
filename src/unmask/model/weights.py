"""Model folders: `config.json` and `model.safetensors`, exactly as transformers has them."""

import hashlib
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import safetensors.torch
import torch
from safetensors import SafetensorError
from torch import Tensor

from unmask.core import files
from unmask.core.errors import UserError
from unmask.model import huggingface, tensors
from unmask.model.config import ModelConfig
from unmask.model.heads import (
    M,
    MaskedLM,
    Model,
    Pretraining,
    SequenceClassifier,
    TokenClassifier,
    build,
)
from unmask.model.init import initialise
from unmask.model.problem import Problem, default_problem
from unmask.model.tensors import Names

CONFIG = "config.json"
WEIGHTS = "model.safetensors"
INDEX = "model.safetensors.index.json"

TOLERATED = re.compile(
    r".*embeddings\.position_ids"  # a buffer that old versions stored
    r"|cls\.seq_relationship\..*"  # next-sentence prediction of BERT
    r"|(bert|roberta)\.pooler\..*"  # where the head does not use it
)
"""Tensors without a place in the model that are left out, as transformers leaves them out."""
TIED = {
    "lm_head.decoder.weight": "roberta.embeddings.word_embeddings.weight",
    "lm_head.decoder.bias": "lm_head.bias",
    "cls.predictions.decoder.weight": "bert.embeddings.word_embeddings.weight",
    "cls.predictions.decoder.bias": "cls.predictions.bias",
}
"""Copies that may be stored and must be equal to what they are tied to."""
RENAMED = {".gamma": ".weight", ".beta": ".bias"}
"""LayerNorm in checkpoints that began in TensorFlow."""


def save(model: Model, folder: Path) -> None:
    """Write a model folder; the same weights give the bytes that transformers would write."""
    folder.mkdir(parents=True, exist_ok=True)
    theirs = tensors.split(model.state_dict(), huggingface.names(model))
    # By way of bytes, so that the file is written beside and a full disk is an OSError.
    data = safetensors.torch.save(theirs, metadata={"format": "pt"})
    with files.atomic(folder / WEIGHTS) as file:
        file.write(data)
    files.write_json(folder / CONFIG, huggingface.to_table(model))


def load(folder: Path, kind: type[M]) -> M:
    """Load the model of this class that a folder holds; UserError names what does not fit.

    The weights come to the CPU, as float32 where they are stored in half precision.
    """
    table = _table(folder)
    labelled = issubclass(kind, SequenceClassifier | TokenClassifier)
    labels = huggingface.labels(table, str(folder / CONFIG)) if labelled else ()
    with torch.device("meta"):
        model = build(
            kind, read_config(folder), labels, huggingface.problem(table, str(folder / CONFIG))
        )
    held = ", ".join(table.get("architectures") or ["nothing"])
    weights = _fitting(
        _read(folder, model.config),
        model,
        huggingface.names(model),
        f"{folder}: does not hold a {kind.__name__} of the sizes in its {CONFIG}",
        f"{CONFIG} says that it holds {held}; load that, or fine-tune it into another",
    )
    model.load_state_dict(weights, assign=True)
    return model


def load_encoder(
    folder: Path,
    kind: type[M],
    labels: tuple[str, ...] = (),
    seed: int = 0,
    problem: Problem | None = None,
) -> M:
    """Start a model of any class from a folder's encoder; the head is drawn from the seed.

    A head of the same class with the same labels is kept, and so is a pooler, which
    transformers counts to the encoder. Other sizes than config.json says are a UserError.
    """
    if _holds(folder, kind, labels, problem):
        return load(folder, kind)
    model = build(kind, read_config(folder), labels, problem)
    initialise(model, seed)
    encoder = f"{model.config.family}."
    theirs = _read(folder, model.config)
    theirs = {name: theirs[name] for name in theirs if name.startswith(encoder)}
    names = {
        ours: parts
        for ours, parts in huggingface.names(model).items()
        if ours.startswith("encoder.") or theirs.keys() >= set(parts)
    }
    weights = _fitting(
        theirs,
        model,
        names,
        f"{folder}: does not hold an encoder of the sizes in its {CONFIG}",
        f"bring {CONFIG} and {WEIGHTS} of one model together",
    )
    model.load_state_dict(weights, strict=False)
    return model


def load_pretraining(folder: Path, seed: int = 0) -> tuple[Pretraining, bool]:
    """Start both objectives from a folder, and say whether it held the next-sentence head.

    The tensors decide, not the class in config.json: BERT's own folders name BertForMaskedLM and
    hold the head all the same. A head that is not there whole is drawn from the seed; the masked
    language model is as load_encoder gives it.
    """
    model = Pretraining(read_config(folder))
    initialise(model, seed)
    model.lm = load_encoder(folder, MaskedLM, seed=seed)
    names = huggingface.next_sentence_names(model)
    expected = tensors.split(model.next_sentence.state_dict(), names)
    theirs = _read(folder, model.config)
    found = {name: theirs[name] for name in expected if name in theirs}
    if len(found) < len(expected):
        return model, False
    where = f"{folder}: its next-sentence head is not of the sizes in its {CONFIG}"
    tensors.check(found, expected, where, f"bring {CONFIG} and {WEIGHTS} of one model together")
    model.next_sentence.load_state_dict(tensors.join(found, names))
    return model, True


def read_config(folder: Path) -> ModelConfig:
    """Read the sizes of the model in a folder."""
    return huggingface.to_config(_table(folder), str(folder / CONFIG))


def sha256(folder: Path) -> str:
    """The hash of a folder's weights; of several files, that of their hashes in order."""
    hashes = [files.sha256(path) for path in _files(folder)]
    return hashes[0] if len(hashes) == 1 else hashlib.sha256("".join(hashes).encode()).hexdigest()


def head_of(folder: Path) -> type[Model]:
    """Find the class of the model in a folder."""
    return huggingface.head(_table(folder), str(folder / CONFIG))


def labels_of(folder: Path) -> tuple[str, ...]:
    """Read the label names of a classifier, in order; () for other models."""
    if issubclass(head_of(folder), SequenceClassifier | TokenClassifier):
        return huggingface.labels(_table(folder), str(folder / CONFIG))
    return ()


def problem_of(folder: Path) -> Problem:
    """Read what the sequence classifier in a folder tells."""
    named = huggingface.problem(_table(folder), str(folder / CONFIG))
    return named or default_problem(labels_of(folder))


def _holds(folder: Path, kind: type[M], labels: tuple[str, ...], problem: Problem | None) -> bool:
    named = _table(folder).get("architectures") or [""]
    if named[0] not in huggingface.CLASSES:
        return False
    if head_of(folder) is not kind or labels_of(folder) != labels:
        return False
    return kind is not SequenceClassifier or (problem or default_problem(labels)) == problem_of(
        folder
    )


def _table(folder: Path) -> dict[str, Any]:
    path = folder / CONFIG
    if not path.exists():
        if (folder / "model" / CONFIG).exists():
            raise UserError(f"{folder}: is a run, not a model", f"pass {folder / 'model'}")
        what = f"holds no {CONFIG}" if folder.is_dir() else "no such folder"
        raise UserError(f"{folder}: {what}", "name a model folder, with config.json in it")
    try:
        table: dict[str, Any] = files.read_json(path)
    except ValueError as error:
        raise UserError(f"{path}: not valid JSON: {error}", "write the folder again") from None
    return table


def _read(folder: Path, config: ModelConfig) -> dict[str, Tensor]:
    """Read all tensors, under the names that transformers uses today."""
    theirs: dict[str, Tensor] = {}
    for path in _files(folder):
        try:
            theirs |= safetensors.torch.load_file(path)
        except (SafetensorError, OSError) as error:
            raise UserError(f"{path}: cannot be read: {error}", "bring the file again") from None
    bare = not any(name.startswith(f"{config.family}.") for name in theirs)
    prefix = f"{config.family}." if bare else ""  # a folder of RobertaModel or BertModel
    theirs = {prefix + _today(name): tensor for name, tensor in theirs.items()}
    tensors.untie(theirs, TIED, folder)
    return theirs


def _files(folder: Path) -> list[Path]:
    if (folder / WEIGHTS).exists():
        return [folder / WEIGHTS]
    if (folder / INDEX).exists():
        shards = files.read_json(folder / INDEX)["weight_map"].values()
        return [folder / shard for shard in sorted(set(shards))]
    if (folder / "pytorch_model.bin").exists():
        raise UserError(
            f"{folder}: holds pytorch_model.bin, a pickle, which could run any code",
            f"turn it into {WEIGHTS}: load it with transformers and call save_pretrained",
        )
    raise UserError(f"{folder}: holds no {WEIGHTS}", "name a folder that holds weights")


def _today(name: str) -> str:
    for old, new in RENAMED.items():
        if name.endswith(f"LayerNorm{old}"):
            return name.removesuffix(old) + new
    return name


def _fitting(
    theirs: Mapping[str, Tensor], model: Model, names: Names, where: str, hint: str
) -> dict[str, Tensor]:
    """Turn their tensors into ours once they are exactly those that `names` asks for."""
    state = model.state_dict()
    expected = tensors.split({ours: state[ours] for ours in names}, names)
    unplaced = {name for name in theirs.keys() - expected.keys() if TOLERATED.fullmatch(name)}
    theirs = {name: theirs[name] for name in theirs if name not in unplaced}
    tensors.check(theirs, expected, where, hint)
    return tensors.join(theirs, names)
