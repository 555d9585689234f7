"""Run files of inputs through the engine, and write its outputs in the same form.

Legend: N samples, B of them, L length of a sample, S its real tokens, C outputs.
"""

from pathlib import Path
from typing import NamedTuple

import numpy as np

from unmask.bench.config import BenchConfig
from unmask.bench.npz.dump import LIST
from unmask.core import files
from unmask.core.errors import UserError
from unmask.core.progress import bar, say
from unmask.finetune.sequences import Ints, Sequences
from unmask.infer.backend import Logits, max_length, open_backend
from unmask.infer.batches import answered, padded
from unmask.infer.folders import made
from unmask.infer.outputs import npz_files, stored_arrays
from unmask.model import weights
from unmask.model.heads import MaskedLM, SpanExtractor, TokenClassifier

NAMES = ("input_ids", "attention_mask", "token_type_ids")
NUMBERED = ("input_0", "input_2", "input_1")
"""The same under the numbers that Vastai's compiler gives them: ids, types, mask."""
AGAIN = "write the samples again"


class Samples(NamedTuple):
    """Sequences without their padding, and the length that each was padded to."""

    sequences: Sequences
    padded_N: Ints


def run(config: BenchConfig, folder: Path) -> None:
    """Run all samples; the outputs come in the order of the list."""
    assert config.out is not None
    model = weights.read_config(config.model)
    samples = read(folder)
    longest, most = int(samples.sequences.lengths_N.max()), max_length(config.model)
    if longest > most:
        raise UserError(
            f"{folder}: a sample of {longest} tokens, and {config.model} reads at most {most}",
            "cut the samples, or give another model",
        )
    for name, values, limit in (
        ("id", samples.sequences.ids_T, model.vocabulary),
        ("token type", samples.sequences.types_T, model.types),
    ):
        if (least := int(values.min())) < 0 or int(values.max()) >= limit:
            wrong = least if least < 0 else int(values.max())
            raise UserError(
                f"{folder}: {name} {wrong}, and {config.model} has {limit} of them",
                "encode the texts with the model's own tokenizer",
            )
    made(config.out, empty=True)
    _answer(config, samples, config.out)
    say(f"{config.out}: outputs of {len(samples.sequences):,} samples")


def read(folder: Path) -> Samples:
    """Read the samples of a list, or of a folder in the order of their names."""
    ids, types, lengths = list[list[int]](), list[list[int]](), list[int]()
    paths = _paths(folder)
    with bar("read samples", len(paths)) as progress:
        for path in paths:
            ids_L, mask_L, types_L = _arrays(path)
            real = int(mask_L.sum())
            ids.append(ids_L[:real].tolist())
            types.append(types_L[:real].tolist())
            lengths.append(len(ids_L))
            progress.advance()
    return Samples(Sequences.of(ids, types), np.array(lengths))


def _paths(folder: Path) -> list[Path]:
    """A list's paths, each of which may have come along with the list to another place."""
    if not folder.is_dir():
        raise UserError(f"{folder}: no such folder", "give the one that --dump npz wrote")
    if not (folder / LIST).exists():
        found = npz_files(folder)
    else:
        lines = (folder / LIST).read_text(encoding="utf-8").splitlines()
        named = [Path(line.strip()) for line in lines if line.strip()]
        found = [beside if (beside := folder / path.name).exists() else path for path in named]
    if not found:
        raise UserError(f"{folder}: has no samples", "write them with --dump npz")
    return found


def _arrays(path: Path) -> tuple[Ints, Ints, Ints]:
    """Ids, mask and types of one sample, (L,) each; UserError for what is no sample."""
    try:
        stored = stored_arrays(path, AGAIN)
    except FileNotFoundError:
        raise UserError(f"{path}: no such file", f"mend {LIST}, or {AGAIN}") from None
    names = NAMES if NAMES[0] in stored else NUMBERED
    if missing := [name for name in names[:2] if name not in stored]:
        raise UserError(
            f"{path}: has no {missing[0]}; there is {', '.join(stored) or 'nothing'}", AGAIN
        )
    for name in names:
        array = stored.setdefault(name, np.zeros_like(stored[names[0]]))
        one = array.shape in ((array.size,), (1, array.size))
        if not one or array.dtype.kind not in "iub":
            raise UserError(
                f"{path}: {name} is {array.dtype} of shape {array.shape}, no whole numbers of one "
                "sample",
                AGAIN,
            )
    ids_L, mask_L, types_L = (stored[name].reshape(-1).astype(np.int64) for name in names)
    _refuse_odd_mask(path, ids_L, mask_L, types_L)
    return ids_L, mask_L, types_L


def _refuse_odd_mask(path: Path, ids_L: Ints, mask_L: Ints, types_L: Ints) -> None:
    if not len(ids_L) == len(mask_L) == len(types_L):
        raise UserError(
            f"{path}: {len(ids_L)} ids, a mask of {len(mask_L)}, {len(types_L)} types", AGAIN
        )
    real = int(mask_L.sum())
    if not real:
        raise UserError(f"{path}: its mask is all zeros, so there is nothing to read", AGAIN)
    if not (mask_L == (np.arange(len(mask_L)) < real)).all():
        raise UserError(
            f"{path}: its mask is not ones and then zeros", "pad on the right, with a mask of 0"
        )


def _answer(config: BenchConfig, samples: Samples, out: Path) -> None:
    kind = weights.head_of(config.model)
    by_token = kind in (MaskedLM, SpanExtractor, TokenClassifier)
    pad_id = weights.read_config(config.model).pad_id
    backend = open_backend(config.model, config.engine, many=True)
    lengths_N = samples.sequences.lengths_N
    with bar("run samples", len(lengths_N)) as progress:
        for group, _, logits in answered(
            backend,
            lengths_N.tolist(),
            lambda group: padded(samples.sequences, np.array(group), pad_id),
        ):
            for number, row in zip(group, logits, strict=True):
                found = row
                if by_token:
                    real = int(lengths_N[number])
                    found = _spread(row[:real], int(samples.padded_N[number]))
                _write(out / f"{number:06d}.npz", found, starts_and_ends=kind is SpanExtractor)
                progress.advance()


def _spread(rows_SC: Logits, length: int) -> Logits:
    """Rows of the real tokens, and zeros where the padding was, (L, C)."""
    rows_LC = np.zeros((length, rows_SC.shape[-1]), np.float32)
    rows_LC[: len(rows_SC)] = rows_SC
    return rows_LC


def _write(path: Path, found: Logits, *, starts_and_ends: bool) -> None:
    arrays = {"output_0": found[None]}
    if starts_and_ends:
        arrays = {"output_0": found[None, :, 0], "output_1": found[None, :, 1]}
    with files.atomic(path) as file:
        np.savez(file, allow_pickle=False, **arrays)
