"""Programs of torch as backend: an exported program (.pt2) or TorchScript (.pt).

Both come with a file of their own inside, the signature, which says what they take and give.

Legend: B batch, L length.
"""

import contextlib
import dataclasses
import json
import logging
import warnings
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import torch

from unmask.core.errors import UserError
from unmask.infer.backend import PT2_FILE, TORCHSCRIPT_FILE, Logits
from unmask.infer.engine_config import EngineConfig
from unmask.infer.feeds import feed_of, one_array
from unmask.tokenizer.batch import Batch

BATCH_TOKENS = 1024
SIGNATURE_FILE = "unmask.json"
"""Name of the signature within the program's archive."""

Outputs = torch.Tensor | tuple[torch.Tensor, ...]
Program = Callable[..., Outputs]


@dataclasses.dataclass(frozen=True, slots=True)
class Signature:
    """What a program takes, in this order, and what it gives."""

    inputs: tuple[str, ...]
    """input_ids, attention_mask and, where the model has several types, token_type_ids: (B, L)."""
    outputs: tuple[str, ...]
    """logits, or start_logits and end_logits; float32."""
    ints: str
    """Type of the inputs: int32 or int64."""
    batch: int | None
    """The one batch size; None: any."""
    length: int | None
    """The one length; None: any up to max_length."""
    max_length: int
    """Longest sequence in tokens, special tokens included."""

    @property
    def places(self) -> int | None:
        """Places of the one batch it takes, padding counted; None: batches of many shapes."""
        return self.batch * self.length if self.batch and self.length else None

    def to_json(self) -> str:
        """Write down for `read`."""
        return json.dumps(dataclasses.asdict(self))

    @classmethod
    def read(cls, path: Path) -> "Signature":
        """Read the signature of a program; UserError where the file is damaged or has none.

        Nothing in the file is run.
        """
        text = _stored(path)
        try:
            found = cls(**json.loads(text or "{}"))
            return dataclasses.replace(
                found, inputs=tuple(found.inputs), outputs=tuple(found.outputs)
            )
        except (TypeError, ValueError):
            raise UserError(
                f"{path}: a program that this version of unmask did not export",
                "export the model again",
            ) from None


class ProgramBackend:
    """An exported program or TorchScript on the CPU.

    Loading one runs what its author wrote, as torch says of both formats: open only what you trust.
    """

    streams = 1

    def __init__(self, path: Path) -> None:
        if path.suffix not in _LOADERS:
            raise UserError(
                f"{path}: ends in {path.suffix or 'nothing'}, neither in .pt2 nor in .pt",
                f"give a {PT2_FILE} (torch.export) or a {TORCHSCRIPT_FILE} (TorchScript)",
            )
        self._path = path
        self.name, load = _LOADERS[path.suffix]
        self.signature = Signature.read(path)
        self.batch_tokens = self.signature.places or BATCH_TOKENS
        try:
            self._program = load(path)
        except Exception as error:  # torch has no common class for what it finds wrong in a file
            reason = str(error).strip().partition("\n")[0]
            raise UserError(
                f"{path}: torch {torch.__version__} cannot load it ({reason})",
                "export the model again, with this version of torch",
            ) from None

    @classmethod
    def open(cls, path: Path, engine: EngineConfig) -> "ProgramBackend":
        """Open a program; UserError for settings that it cannot take on."""
        for name, given in (
            ("precision", engine.precision is not None),
            ("device", engine.device == "cuda"),
            ("streams", engine.streams not in (None, 1)),
        ):
            if given:
                raise UserError(
                    f"--engine.{name} {getattr(engine, name)}: {path} runs as it was exported, on "
                    "the processor, a batch at a time",
                    "leave it out, or take the model folder it was made from",
                )
        if engine.threads is not None:
            torch.set_num_threads(engine.threads)
        backend = cls(path)
        if engine.batch_tokens is not None and backend.signature.places is None:
            backend.batch_tokens = engine.batch_tokens
        return backend

    @torch.inference_mode()
    def logits(self, batch: Batch) -> Logits:
        """Run a batch; UserError for a shape that the program does not take."""
        self._check(*batch.ids_BL.shape)
        kinds = dict.fromkeys(self.signature.inputs, np.dtype(self.signature.ints))
        inputs = [torch.from_numpy(array) for array in feed_of(batch, kinds).values()]
        output = self._program(*inputs)
        outputs = (output,) if isinstance(output, torch.Tensor) else output
        return one_array([item.numpy() for item in outputs])

    def _check(self, batch: int, length: int) -> None:
        wanted = self.signature
        if (wanted.batch or batch, wanted.length or length) != (batch, length):
            shape = f"{wanted.batch or 'any number'} x {wanted.length or 'any length'}"
            raise UserError(
                f"{self._path}: was exported for batches of {shape}, given one of "
                f"{batch} x {length}",
                f"pad the batch to {shape}, or export the model for any shape",
            )
        if length > wanted.max_length:
            raise UserError(
                f"{self._path}: takes at most {wanted.max_length} tokens, given {length}",
                f"cut texts to {wanted.max_length} tokens",
            )


@contextlib.contextmanager
def without_jit_warnings() -> Iterator[None]:
    """Keep back that TorchScript is deprecated, and what its tracer says of torch's own checks."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", r"`torch\.jit\.", DeprecationWarning)
        warnings.simplefilter("ignore", torch.jit.TracerWarning)  # type: ignore[attr-defined]
        yield


def _load_pt2(path: Path) -> Program:
    logger = logging.getLogger("torch.export")
    level = logger.level
    logger.setLevel(logging.ERROR)  # of a file that it cannot load it also logs a traceback
    try:
        with warnings.catch_warnings():
            # torch 2.11 says so of weights, which nobody is going to write to.
            warnings.filterwarnings("ignore", "The given buffer is not writable", UserWarning)
            program: Program = torch.export.load(path).module()
        return program
    finally:
        logger.setLevel(level)


def _load_torchscript(path: Path) -> Program:
    with without_jit_warnings():
        program: Program = torch.jit.load(  # type: ignore[no-untyped-call]
            path, map_location="cpu"
        )
        return program


_LOADERS: dict[str, tuple[str, Callable[[Path], Program]]] = {
    ".pt2": ("pt2", _load_pt2),
    ".pt": ("torchscript", _load_torchscript),
}


def _stored(path: Path) -> bytes | None:
    """The signature's bytes, if there is one.

    A byte that changed anywhere is found by the archive's checksums, at which torch does not look.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            damaged = archive.testzip()
            names = [name for name in archive.namelist() if name.endswith(f"/{SIGNATURE_FILE}")]
            found = archive.read(names[0]) if names and not damaged else None
    except FileNotFoundError:
        raise UserError(f"{path}: no such file", "name a program that was exported") from None
    except Exception as error:  # of a damaged file zipfile lets through what zlib, struct, ... say
        raise UserError(f"{path}: not a whole program ({error})", "export it again") from None
    if damaged:
        raise UserError(f"{path}: {damaged} in it is damaged", "export it again")
    return found
