import ctypes
import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from unmask.train import memory

FAULTS = """
import resource, sys, torch
from unmask.train import memory
if sys.argv[1] == "kept":
    assert memory.keep_freed()
def faults():
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt
for _ in range(3):
    torch.ones(16_000_000)
before = faults()
for _ in range(3):
    torch.ones(16_000_000)
print(faults() - before)
"""


def has_huge_pages():
    setting = Path("/sys/kernel/mm/transparent_hugepage/enabled")
    return setting.exists() and "[never]" not in setting.read_text(encoding="utf-8")


@pytest.mark.skipif(not has_huge_pages(), reason="this system gives no huge pages")
def test_memory_that_was_freed_is_used_again():
    """48,000 pages of 4 KiB are touched three times: fresh each time, or never again."""
    clean = {name: value for name, value in os.environ.items() if name != memory.HUGE_PAGES}
    fresh, kept = (
        int(subprocess.check_output([sys.executable, "-c", FAULTS, word], env=clean))
        for word in ("", "kept")
    )

    assert kept < 0.1 * fresh


def test_where_there_is_no_glibc_nothing_happens(monkeypatch):
    monkeypatch.setattr(sys, "platform", "darwin")
    assert not memory.keep_freed()
    monkeypatch.setattr(sys, "platform", "linux")

    def missing(_):
        raise OSError

    monkeypatch.setattr(ctypes, "CDLL", missing)
    assert not memory.keep_freed()


def test_the_most_memory_in_use_never_falls():
    before = memory.peak_memory(torch.device("cpu"))
    torch.ones(4_000_000)

    assert memory.peak_memory(torch.device("cpu")) >= before > 50e6
