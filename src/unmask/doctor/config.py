"""Settings of `unmask doctor`."""

import dataclasses
from pathlib import Path


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class DoctorConfig:
    """Show what this machine has, measure what it reaches, and say what will be slow and why.

    Takes a few seconds.
    """

    out: Path = Path()
    """Where runs will be written: its disk is looked at."""
    json: bool = False
    """Print one JSON object instead of tables."""
