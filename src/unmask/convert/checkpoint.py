"""What a checkpoint of fairseq holds: an encoder, its heads and how they were set."""

import dataclasses
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from unmask.core.errors import UserError
from unmask.core.progress import say
from unmask.model import fairseq, pickles
from unmask.model.config import ModelConfig

HEADS = re.compile(r"classification_heads\.([^.]+)\.(.+)")
UNUSED = re.compile(
    r".*\.version|(.*\.)?_float_tensor"  # buffers that tell other models of fairseq how to read
    r"|.*\.layers\.\d+\.(in_proj|out_proj|fc1|fc2)_(weight|bias)"
)
"""What fairseq never reads. 0.12 stores a second set of each layer's weights for its fast path
(modules/transformer_layer.py): no step of training reaches it, and loading writes over it."""
HEAD_SIZE = 64
"""Of every RoBERTa that was published."""
HINT = "only post-LN RoBERTa models of fairseq with learned positions can be read"


@dataclasses.dataclass(frozen=True, slots=True)
class Checkpoint:
    """The tensors of one file, under the names that fairseq has for them today."""

    path: Path
    config: ModelConfig
    encoder: Mapping[str, Tensor]
    lm_head: Mapping[str, Tensor]
    """Empty where the file holds none."""
    heads: Mapping[str, Mapping[str, Tensor]]
    """Classification heads by name, in the order of the file; each as stored, `out_proj.weight`."""
    settings: object
    """What fairseq recorded: `args` (up to 0.10) and `cfg` (since), for `pickles.recorded`."""

    def classes(self, head: str) -> int:
        """Count the outputs of a head."""
        if "out_proj.weight" not in self.heads[head]:
            raise UserError(f"{self.path}: its head {head} has no out_proj.weight", HINT)
        return self.heads[head]["out_proj.weight"].shape[0]

    def regresses(self, head: str) -> bool:
        """Say whether a head gives numbers; one output that ranks nothing can be nothing else."""
        return self.classes(head) == 1 or (
            pickles.recorded(self.settings, "regression_target") is True
        )

    def ranks(self, head: str) -> bool:
        """Say whether a head scores choices, as tasks/sentence_ranking.py trains it, not a text."""
        criterion = pickles.recorded(self.settings, "criterion")
        name = criterion.get("_name") if isinstance(criterion, dict) else criterion
        named = pickles.recorded(self.settings, "ranking_head_name")
        return self.classes(head) == 1 and (name == "sentence_ranking" or named == head)


def read(path: Path) -> Checkpoint:
    """Read a file without running it; UserError if it holds no RoBERTa that can be rebuilt."""
    checkpoint = pickles.load(path)
    stored = checkpoint.get("model") if isinstance(checkpoint, dict) else None
    if not isinstance(stored, dict) or not all(isinstance(x, Tensor) for x in stored.values()):
        raise UserError(f"{path}: holds no fairseq model", "name a model.pt that fairseq wrote")
    theirs, heads = _parted(stored, path)
    stem = f"{fairseq.LM_HEAD}."
    lm_head = {name: theirs.pop(name) for name in [*theirs] if name.startswith(stem)}
    settings = [checkpoint.get("args"), checkpoint.get("cfg")]
    config = _config(theirs, settings, path)
    theirs.setdefault(fairseq.TYPE, torch.zeros_like(theirs[fairseq.WORD][: config.types]))
    return Checkpoint(path, config, theirs, lm_head, heads, settings)


def _parted(
    stored: Mapping[str, Tensor], path: Path
) -> tuple[dict[str, Tensor], dict[str, dict[str, Tensor]]]:
    """Bring names up to date (models/roberta/model.py, upgrade_state_dict_named); part the heads.

    What fairseq itself would not read is left out, and the user is told.
    """
    theirs: dict[str, Tensor] = {}
    heads: dict[str, dict[str, Tensor]] = {}
    unused = [name for name in stored if UNUSED.fullmatch(name)]
    if unused:
        say(f"{path}: ignored {unused[0]} (of {len(unused)} tensors that fairseq never reads)")
    for name, tensor in stored.items():
        if match := HEADS.fullmatch(name):
            heads.setdefault(match[1], {})[match[2]] = tensor
        elif not UNUSED.fullmatch(name):
            theirs |= _unstacked(_today(name), tensor)
    return theirs, heads


def _config(theirs: Mapping[str, Tensor], settings: object, path: Path) -> ModelConfig:
    """Read the sizes off the shapes; heads and dropout have to be written somewhere.

    A dropout that is not recorded is the one fairseq would take (base_architecture).
    """
    absent = [n for n in (fairseq.WORD, fairseq.POSITION, fairseq.UP) if n not in theirs]
    if absent:
        raise UserError(f"{path}: {absent[0]} is missing", "name a RoBERTa checkpoint of fairseq")
    require(settings, "activation_fn", "gelu", path)
    vocabulary, width = theirs[fairseq.WORD].shape
    layers = {match[1] for name in theirs if (match := re.search(r"\.layers\.(\d+)\.", name))}
    dropout = _share(settings, "dropout", 0.1)
    pooler_dropout = _share(settings, "pooler_dropout", 0.0)
    return ModelConfig(
        family="roberta",
        vocabulary=vocabulary,
        layers=len(layers),
        width=width,
        heads=_heads(settings, width, path),
        feed_forward=theirs[fairseq.UP].shape[0],
        max_length=theirs[fairseq.POSITION].shape[0] - fairseq.PAD - 1,
        types=theirs[fairseq.TYPE].shape[0] if fairseq.TYPE in theirs else 1,
        norm_eps=1e-5,
        dropout=dropout,
        attention_dropout=_share(settings, "attention_dropout", 0.1),
        classifier_dropout=None if pooler_dropout == dropout else pooler_dropout,
        pad_id=fairseq.PAD,
        bos_id=fairseq.BOS,
        eos_id=fairseq.EOS,
    )


def require(settings: object, name: str, value: str, path: Path) -> None:
    """Refuse a setting that is recorded and is not this value, which fairseq takes by default."""
    found = pickles.recorded(settings, name)
    if found not in (None, value):
        raise UserError(f"{path}: its {name} is {found}", f"only {value} can be read")


def _heads(settings: object, width: int, path: Path) -> int:
    heads = pickles.recorded(settings, "encoder_attention_heads")
    if isinstance(heads, int):
        return heads
    say(f"{path}: records no number of attention heads; heads of size {HEAD_SIZE} are taken")
    return max(1, width // HEAD_SIZE)


def _share(settings: object, name: str, default: float) -> float:
    found: Any = pickles.recorded(settings, name)
    return float(found) if isinstance(found, int | float) else default


def _today(name: str) -> str:
    for old, new in fairseq.RENAMED.items():
        if name.startswith(old):
            name = new + name.removeprefix(old)
    return name


def _unstacked(name: str, tensor: Tensor) -> dict[str, Tensor]:
    """Split `in_proj_weight` and `in_proj_bias`, which stacked query, key and value up to 0.8."""
    stem, stacked, parameter = name.rpartition("in_proj_")
    if not stacked:
        return {name: tensor}
    parts = zip("qkv", tensor.chunk(3), strict=True)
    return {f"{stem}{part}_proj.{parameter}": rows for part, rows in parts}
