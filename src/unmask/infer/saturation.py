"""Products of 8 bits that overflow: older processors add two of them in 16 bits.

vpmaddubsw of AVX2 and AVX-512 saturates at 32,767, and 2 * 255 * 127 is 64,770. With VNNI and the
like products are added in 32 bits.
"""

from collections.abc import Collection
from pathlib import Path

from unmask.core import machine
from unmask.core.errors import UserError
from unmask.infer.backend import facts

WIDE = {"avx512_vnni", "avx_vnni", "amx_int8", "asimddp", "i8mm"}
MOST_LEVELS = 64
"""Of weights that are safe anywhere: 2 * 255 * 64 is 32,640."""


def saturates(instruction_sets: Collection[str] | None = None) -> bool:
    """Whether this processor, or one with these instructions, may overflow."""
    if instruction_sets is None:
        instruction_sets = machine.describe()["instruction_sets"]
    return not WIDE & set(instruction_sets)


def refuse_overflow(folder: Path) -> None:
    """UserError for an 8-bit export with weights too large for this processor."""
    levels = facts(folder).get("levels")
    if levels is not None and levels > MOST_LEVELS and saturates():
        raise UserError(
            f"{folder}: 8-bit weights of {levels} levels overflow on this processor, which has "
            "no VNNI",
            "export the model again here: its weights get fewer levels then",
        )
