"""The most memory that this process has had, in bytes."""

import resource
import sys
from pathlib import Path

STATUS, CLEAR = Path("/proc/self/status"), Path("/proc/self/clear_refs")
PEAK = "5"
"""What resets the peak (Linux, Documentation/filesystems/proc.rst)."""


def forget_peak() -> bool:
    """Count the peak from now on; False where the system cannot, and it is since the start."""
    try:
        CLEAR.write_text(PEAK, encoding="ascii")
    except OSError:
        return False
    return True


def peak() -> int:
    """The resident set at its largest, libraries and all."""
    if STATUS.exists():
        fields = dict(
            line.split(":", 1) for line in STATUS.read_text(encoding="ascii").splitlines()
        )
        if "VmHWM" in fields:
            return int(fields["VmHWM"].split()[0]) * 1024
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit
