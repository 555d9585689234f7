"""What the machine has to give right now: memory, time, disk, a compiler."""

import importlib.util
import os
import shutil
from pathlib import Path

CGROUP = Path("/sys/fs/cgroup")
MEMINFO = Path("/proc/meminfo")
NVIDIA = Path("/proc/driver/nvidia/version")


def memory_free() -> int | None:
    """Bytes that programs can still take, in the container if there is one; None if not known."""
    limits = [limit for limit in (_available(), _left_to_container()) if limit is not None]
    return min(limits, default=None)


def cpu_quota() -> float | None:
    """How many cores' worth of time the container is allowed; None if there is no limit."""
    words = _read(CGROUP / "cpu.max").split()
    if len(words) != 2 or words[0] == "max":
        return None
    return int(words[0]) / int(words[1])


def disk_free(place: Path) -> int:
    """Bytes free on the disk of a folder, which need not be there yet."""
    folder = place.resolve()
    while not folder.exists():
        folder = folder.parent
    return shutil.disk_usage(folder).free


def compiler() -> str | None:
    """The C++ compiler that torch.compile would take."""
    names = [name for name in (os.environ.get("CXX"), "g++", "clang++") if name]
    return next((found for name in names if (found := shutil.which(name))), None)


def has_triton() -> bool:
    """Whether torch.compile can write kernels for cards."""
    return importlib.util.find_spec("triton") is not None


def has_nvidia_driver() -> bool:
    """Whether a driver of NVIDIA's is loaded."""
    return NVIDIA.exists()


def _available() -> int | None:
    for line in _read(MEMINFO).splitlines():
        if line.startswith("MemAvailable:"):
            return int(line.split()[1]) * 1024
    return None


def _left_to_container() -> int | None:
    limit, used = _read(CGROUP / "memory.max").strip(), _read(CGROUP / "memory.current").strip()
    return int(limit) - int(used) if limit.isdigit() and used.isdigit() else None


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except OSError:
        return ""
