"""How far weights of 8 bits may go on a processor."""

from collections.abc import Collection

from unmask.export.int8.plan import LEVELS, LEVELS_WITHOUT_VNNI
from unmask.infer.saturation import saturates


def levels_here(instruction_sets: Collection[str] | None = None) -> int:
    """Steps of a weight on each side of zero that overflow nothing on this processor."""
    return LEVELS_WITHOUT_VNNI if saturates(instruction_sets) else LEVELS
