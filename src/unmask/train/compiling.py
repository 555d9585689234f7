"""Whether blocks are compiled: where it is asked for, or where it was measured to be faster.

Legend: B batch, L length, D width.
"""

import copy
import dataclasses
import time
from collections.abc import Sequence
from typing import Literal, cast

import torch
from torch import Tensor, nn

from unmask.core.errors import UserError
from unmask.core.progress import say
from unmask.model.encoder import Block
from unmask.train.config import Precision
from unmask.train.peak import device_name
from unmask.train.precision import autocast
from unmask.train.remembered import remembered

ROUNDS, WARM = 5, 2
WORTH = 1.03
"""Compiled code must be so many times as fast: less is noise, and compiling takes a minute."""

Compile = Literal["auto", "on", "off"]


@dataclasses.dataclass(frozen=True, slots=True)
class Shape:
    """What decides whether compiling pays."""

    device: str
    torch: str
    threads: int
    precision: str
    blocks: int
    length: int
    width: int
    feed_forward: int
    heads: int
    dropout: float


def compiled(
    blocks: Sequence[nn.Module],
    mode: Compile,
    device: torch.device,
    precision: Precision,
    shape: tuple[int, int, int],
) -> bool:
    """Compile each block where `mode` says so; whether they are now.

    The blocks are compiled one by one: they share their code, so it takes the time of one. `auto`
    leaves a processor uncompiled (benchmarks/results/pretrain-step-cpu.json: it gains nothing
    there) and measures one block on a card, once for each shape; what was found is remembered.
    `shape` is (B, L, D). UserError if compiling is asked for and fails.
    """
    if mode == "off" or (mode == "auto" and device.type == "cpu"):
        return False
    if mode == "auto" and not _is_faster(blocks[0], device, precision, shape):
        return False
    if mode == "on" and (reason := _failure(blocks[0], device, precision, shape)):
        raise UserError(f"--compile on: {reason}", "leave out --compile, or install a C++ compiler")
    for block in blocks:
        block.compile()
    return True


def _is_faster(
    block: nn.Module, device: torch.device, precision: Precision, shape: tuple[int, int, int]
) -> bool:
    key = _key(block, device, precision, shape)

    def measured() -> dict[str, float]:
        say("measuring whether compiled blocks are faster here, once")
        try:
            return {"gain": _gain(block, device, precision, shape)}
        except Exception as error:
            say(f"torch.compile gave up, so the step runs uncompiled: {_line(error)}")
            return {"gain": 0.0}

    return remembered("compiled", key, measured)["gain"] >= WORTH


def _failure(
    block: nn.Module, device: torch.device, precision: Precision, shape: tuple[int, int, int]
) -> str:
    """Try it on a copy: why it fails, or nothing."""
    tried = copy.deepcopy(block)
    tried.compile()
    try:
        _pass(tried, torch.zeros(1, *shape[1:], device=device), precision)
    except Exception as error:
        return _line(error)
    return ""


def _gain(
    block: nn.Module, device: torch.device, precision: Precision, shape: tuple[int, int, int]
) -> float:
    hidden_BLD = torch.randn(shape, device=device)
    plain, faster = copy.deepcopy(block), copy.deepcopy(block)
    faster.compile()
    return _seconds(plain, hidden_BLD, precision) / _seconds(faster, hidden_BLD, precision)


def _seconds(block: nn.Module, hidden_BLD: Tensor, precision: Precision) -> float:
    """The time of the fastest pass there and back."""
    found = []
    for _ in range(WARM + ROUNDS):
        started = time.perf_counter()
        _pass(block, hidden_BLD, precision)
        if hidden_BLD.is_cuda:
            torch.cuda.synchronize()
        found.append(time.perf_counter() - started)
    return min(found[WARM:])


def _pass(block: nn.Module, hidden_BLD: Tensor, precision: Precision) -> None:
    block.train()
    hidden_BLD = hidden_BLD.clone().requires_grad_()
    with autocast(precision, hidden_BLD.device):
        out_BLD: Tensor = block(hidden_BLD)
    out_BLD.float().sum().backward()  # type: ignore[no-untyped-call]


def _key(
    block: nn.Module, device: torch.device, precision: Precision, shape: tuple[int, int, int]
) -> Shape:
    sizes = cast("Block", block)
    return Shape(
        device=device_name(device),
        torch=torch.__version__,
        threads=torch.get_num_threads(),
        precision=precision,
        blocks=shape[0],
        length=shape[1],
        width=shape[2],
        feed_forward=sizes.up.out_features,
        heads=sizes.attention.heads,
        dropout=sizes.dropout.chance,
    )


def _line(error: Exception) -> str:
    return f"{type(error).__name__}: {str(error).strip().splitlines()[0] if str(error) else ''}"
