"""The sizes of the field: tiny to large, for both families."""

from typing import NamedTuple

from unmask.model.config import ModelConfig


class Size(NamedTuple):
    """One row of the table."""

    layers: int
    width: int
    heads: int
    feed_forward: int


SIZES = {
    "tiny": Size(2, 128, 2, 512),
    "mini": Size(4, 256, 4, 1024),
    "small": Size(4, 512, 8, 2048),
    "medium": Size(8, 512, 8, 2048),
    "base": Size(12, 768, 12, 3072),
    "large": Size(24, 1024, 16, 4096),
}
"""Base and large: Devlin et al. 2019, section 3; the smaller ones: Turc et al. 2019."""


def _roberta(size: Size) -> ModelConfig:
    """Liu et al. 2019: 50,265 byte-level BPE tokens, one token type."""
    return ModelConfig(
        family="roberta",
        vocabulary=50265,
        **size._asdict(),
        types=1,
        norm_eps=1e-5,
        pad_id=1,
        bos_id=0,
        eos_id=2,
    )


def _bert(size: Size) -> ModelConfig:
    """Devlin et al. 2019, uncased: 30,522 WordPieces, [PAD] 0, [CLS] 101, [SEP] 102."""
    return ModelConfig(
        family="bert",
        vocabulary=30522,
        **size._asdict(),
        types=2,
        norm_eps=1e-12,
        pad_id=0,
        bos_id=101,
        eos_id=102,
    )


ROBERTA: dict[str, ModelConfig] = {name: _roberta(size) for name, size in SIZES.items()}
BERT: dict[str, ModelConfig] = {name: _bert(size) for name, size in SIZES.items()}
