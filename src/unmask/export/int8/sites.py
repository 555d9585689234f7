"""The linear layers that can be computed in 8 bits, and what goes into them.

Legend: I width of a layer's input, O of its output, D width of the model; ... any shape.
"""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager

from torch import Tensor, nn

from unmask.model.attention import Attention
from unmask.model.encoder import Block
from unmask.model.heads import (
    MaskedLM,
    MultipleChoice,
    SequenceClassifier,
    SpanExtractor,
    TokenClassifier,
)
from unmask.model.packing import Packing

Model = MaskedLM | MultipleChoice | SequenceClassifier | SpanExtractor | TokenClassifier
Change = Callable[[str, Tensor], Tensor]
"""Takes the name of a site and what goes into it, (..., I), and gives what shall go into it."""


def sites(model: Model) -> dict[str, nn.Linear]:
    """Give the linear layers of the encoder's blocks by name, in the order of computation.

    Heads, embeddings, LayerNorm, softmax and GELU stay in float: they are a small part of the work
    and lose the most (Bondarenko et al. 2021, section 4).
    """
    return {
        f"encoder.blocks.{number}.{name}": layer
        for number, block in _blocks(model)
        for name, layer in _of_block(block).items()
    }


def work(layer: nn.Linear) -> int:
    """Count the multiplications of a layer for one token."""
    return layer.in_features * layer.out_features


@contextmanager
def intercepted(model: Model, change: Change) -> Iterator[None]:
    """Within, let all that goes into a site pass through `change` first.

    That holds for `Attention.asked`, too, which reads the weights of qkv without calling it: there
    the asked tokens pass first, then all of them, as they are two inputs of the exported graph.
    """
    with ExitStack() as stack:
        for name, layer in sites(model).items():
            stack.callback(layer.register_forward_pre_hook(_hook(name, change)).remove)
        for number, block in _blocks(model):
            name = f"encoder.blocks.{number}.attention.qkv"
            stack.enter_context(_asking(block.attention, name, change))
        yield


def _blocks(model: Model) -> Iterator[tuple[int, Block]]:
    for number, block in enumerate(model.encoder.blocks):
        assert isinstance(block, Block)
        yield number, block


def _of_block(block: Block) -> dict[str, nn.Linear]:
    return {
        "attention.qkv": block.attention.qkv,
        "attention.out": block.attention.out,
        "up": block.up,
        "down": block.down,
    }


def _hook(name: str, change: Change) -> Callable[[nn.Module, tuple[Tensor]], tuple[Tensor]]:
    def hook(_: nn.Module, values: tuple[Tensor]) -> tuple[Tensor]:
        return (change(name, values[0]),)

    return hook


@contextmanager
def _asking(attention: Attention, name: str, change: Change) -> Iterator[None]:
    """Let both inputs of one layer's `asked` pass through `change`."""
    before = vars(attention).get("asked")
    asked = attention.asked

    def changed(
        asked_BND: Tensor,
        hidden_BLD: Tensor,
        mask_B11L: Tensor | None = None,
        packing: Packing | None = None,
    ) -> Tensor:
        return asked(change(name, asked_BND), change(name, hidden_BLD), mask_B11L, packing)

    vars(attention)["asked"] = changed
    try:
        yield
    finally:
        if before is None:
            del vars(attention)["asked"]
        else:
            vars(attention)["asked"] = before
