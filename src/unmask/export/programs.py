"""A model as a program of torch: an exported program (.pt2) or TorchScript (.pt).

Legend: B batch, L length, P = B * L places, C outputs, V vocabulary.
"""

import copy
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

from unmask.core import files
from unmask.core.errors import UserError
from unmask.core.progress import bar
from unmask.infer.program_backend import (
    SIGNATURE_FILE,
    Outputs,
    Signature,
    without_jit_warnings,
)
from unmask.model.config import ModelConfig
from unmask.model.heads import MultipleChoice, SpanExtractor

if TYPE_CHECKING:  # its module needs onnx, which a program does not
    from unmask.export.graph.heads import Exported, Form

TRACED = (2, 8)
"""Batch and length of the inputs that a program for any shape is traced with."""
OTHERS = ((1, 13), (3, 5))
"""Where it is compared with the model afterwards, with other ids and other padding."""
TOLERANCE = {torch.float32: 1e-5, torch.bfloat16: 2e-2, torch.float16: 2e-2}
"""Largest difference of a logit, times the largest logit where that is over 1."""
STEPS = 3


def write_pt2(
    model: "Exported", form: "Form", path: Path, dtype: torch.dtype | None = None
) -> None:
    """Write an exported program (torch.export) for any batch and length, or those of the form.

    Weights and computation are of the dtype, left out: of the form's; logits are float32. The
    model stays as it is. UserError for a length the model has no positions for, and where the
    program does not give what the model gives; nothing is written then.
    """
    signature = _signature(model, form)
    with bar("exporting to pt2", STEPS) as progress:
        program = _Program(model, dtype or getattr(torch, form.floats))
        inputs = _inputs(model.config, signature, 0)
        dimensions = _dimensions(signature)
        exported = torch.export.export(program, inputs, dynamic_shapes=(dimensions,) * len(inputs))
        for node in exported.graph.nodes:
            node.meta.pop("stack_trace", None)  # lines of code, with the paths of this machine
        progress.advance()
        _check(path, program, exported.module(), signature)
        progress.advance()
        with files.atomic(path) as file:
            extra = {SIGNATURE_FILE: signature.to_json()}
            torch.export.save(exported, file, extra_files=extra)
        progress.advance()


def write_torchscript(
    model: "Exported", form: "Form", path: Path, dtype: torch.dtype | None = None
) -> None:
    """Write TorchScript (torch.jit.trace); all else as `write_pt2` has it.

    A trace takes any shape: that of the form is only written down, for `ProgramBackend` to hold to.
    """
    signature = _signature(model, form)
    with bar("exporting to TorchScript", STEPS) as progress, without_jit_warnings():
        program = _Program(model, dtype or getattr(torch, form.floats))
        inputs = _inputs(model.config, signature, 0)
        # `_check` compares at other shapes, too; torch's own check does it at this one.
        traced = torch.jit.trace(  # type: ignore[no-untyped-call]
            program, inputs, strict=True, check_trace=False
        )
        progress.advance()
        _check(path, program, traced, signature)
        progress.advance()
        with files.atomic(path) as file:
            extra = {SIGNATURE_FILE: signature.to_json()}
            torch.jit.save(traced, file, _extra_files=extra)
        progress.advance()


class _Program(nn.Module):
    """A copy of a model on the CPU, with inputs as users of transformers name them."""

    def __init__(self, model: "Exported", dtype: torch.dtype) -> None:
        super().__init__()
        self.dtype = dtype
        self.model = copy.deepcopy(model).cpu().to(dtype).requires_grad_(False)  # noqa: FBT003
        self.eval()

    def forward(
        self, input_ids: Tensor, attention_mask: Tensor, token_type_ids: Tensor | None = None
    ) -> Outputs:
        """Logits as float32: (B, C), (B, L, C), (B, L, V), or (B, L) each of starts and ends.

        Of multiple choice, a row is an option and C is 1.
        """
        model, ids_BL, mask_BL = self.model, input_ids.long(), attention_mask > 0
        types_BL = None if token_type_ids is None else token_type_ids.long()
        if isinstance(model, SpanExtractor):
            start_BL, end_BL = model(ids_BL, mask_BL, types_BL)
            return start_BL.float(), end_BL.float()
        if isinstance(model, MultipleChoice):
            return model.head(model.encoder(ids_BL, mask_BL, types_BL)[:, 0]).float()
        return model(ids_BL, mask_BL, types_BL).float()


def _signature(model: "Exported", form: "Form") -> Signature:
    longest = model.config.max_length
    if form.length is not None and form.length > longest:
        raise UserError(
            f"a length of {form.length}: the model takes at most {longest} tokens",
            f"choose a length up to {longest}",
        )
    names = ["input_ids", "attention_mask"]
    if model.config.types > 1:
        names.append("token_type_ids")
    spans = isinstance(model, SpanExtractor)
    outputs = ("start_logits", "end_logits") if spans else ("logits",)
    return Signature(tuple(names), outputs, form.ints, form.batch, form.length, longest)


def _dimensions(signature: Signature) -> dict[int, torch.export.Dim]:
    """The axes of an input whose size is open."""
    dimensions = {}
    if signature.batch is None:
        dimensions[0] = torch.export.Dim("batch")
    if signature.length is None:
        dimensions[1] = torch.export.Dim("length", max=signature.max_length)
    return dimensions


def _inputs(config: ModelConfig, signature: Signature, number: int) -> tuple[Tensor, ...]:
    """Real ids with real padding, more of it from row to row; number 0 is traced.

    On zeros a trace would see only padding, and two inputs that are one tensor would become one.
    Where the form fixes a size, it is that.
    """
    some, long = (TRACED, *OTHERS)[number]
    batch, length = signature.batch or some, signature.length or min(long, signature.max_length)
    words_V = torch.arange(config.vocabulary)
    words_V = words_V[words_V != config.pad_id]
    ids_P = words_V[(torch.arange(batch * length) + number) % len(words_V)]
    real_B = (length - 1 - (torch.arange(batch) + number) % length).clamp(min=1)
    mask_BL = torch.arange(length) < real_B[:, None]
    arrays = {
        "input_ids": ids_P.view(batch, length).where(mask_BL, config.pad_id),
        "attention_mask": mask_BL,
        "token_type_ids": mask_BL & (torch.arange(length) >= length // 2),
    }
    kind: torch.dtype = getattr(torch, signature.ints)
    return tuple(arrays[name].to(kind) for name in signature.inputs)


@torch.inference_mode()
def _check(
    path: Path, program: _Program, exported: Callable[..., Outputs], signature: Signature
) -> None:
    """Hold what was exported to the model it was made from, in the same dtype."""
    kind = str(program.dtype).removeprefix("torch.")
    for number in range(1 + len(OTHERS)):
        inputs = _inputs(program.model.config, signature, number)
        expected, found = _stacked(program(*inputs)), _stacked(exported(*inputs))
        if not expected.isfinite().all():
            raise UserError(
                f"{path}: in {kind} the model gives numbers that are not finite",
                "choose float32 or bfloat16, which reach further than float16"
                if program.dtype is torch.float16
                else "its weights are damaged, or its training diverged: give an earlier one",
            )
        difference = (found - expected).abs().max().item()
        if not difference <= TOLERANCE[program.dtype] * max(1.0, expected.abs().max().item()):
            raise UserError(
                f"{path}: for a batch of {' x '.join(map(str, inputs[0].shape))} the program "
                f"differs by {difference:.2e} from the model in {kind}",
                "report it with the model's config.json; nothing was written",
            )


def _stacked(outputs: Outputs) -> Tensor:
    return outputs if isinstance(outputs, Tensor) else torch.stack(outputs, dim=-1)
