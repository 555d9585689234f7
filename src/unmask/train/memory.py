"""Memory: keep what is freed instead of giving it back after every step, and how much is used."""

import ctypes
import os
import resource
import sys

import torch

KEEP = 2**31 - 1
TRIM_THRESHOLD, MMAP_MAX = -1, -4
"""Parameters of glibc's mallopt (malloc.h)."""
HUGE_PAGES = "THP_MEM_ALLOC_ENABLE"
"""What torch looks up before its first large tensor (c10/core/impl/alloc_cpu.cpp)."""


def keep_freed() -> bool:
    """Let large tensors take huge pages and use what a step has freed; False without glibc.

    Else every large tensor is fresh pages from the system, 4 KiB at a time and zeroed by it: a
    fifth of a training step on a processor. A process never shrinks then, which one that trains
    need not. To be called before there is a large tensor.
    """
    if not sys.platform.startswith("linux"):
        return False
    try:
        mallopt = ctypes.CDLL("libc.so.6").mallopt
    except (OSError, AttributeError):
        return False
    os.environ.setdefault(HUGE_PAGES, "1")
    return bool(mallopt(MMAP_MAX, 0) and mallopt(TRIM_THRESHOLD, KEEP))


def peak_memory(device: torch.device) -> int:
    """The most memory in use so far, in bytes: of the card, or of the process."""
    if device.type == "cuda":
        return int(torch.cuda.max_memory_allocated(device))
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
