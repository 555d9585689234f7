"""What `advice.py` has to know of the machine, as it is right now."""

import os
from pathlib import Path

import torch

from unmask.core import machine, resources
from unmask.train.advice import MachineFacts
from unmask.train.precision import has_bf16


def machine_facts(device: torch.device, out: Path, bf16_gain: float | None = None) -> MachineFacts:
    """Look at the machine, as a run that computes on `device` and writes to `out` finds it.

    `bf16_gain` is how many times faster bf16 products were measured to be than fp32 ones.
    """
    card = device.type == "cuda"
    return MachineFacts(
        device="cuda" if card else "cpu",
        bf16=has_bf16(device),
        bf16_gain=bf16_gain,
        cores=machine.describe()["cores"],
        quota=resources.cpu_quota(),
        threads=torch.get_num_threads(),
        processes=int(os.environ.get("LOCAL_WORLD_SIZE", "1")),
        omp_threads=os.environ.get("OMP_NUM_THREADS"),
        memory_free=torch.cuda.mem_get_info(device)[0] if card else resources.memory_free(),
        disk_free=resources.disk_free(out),
        compiler=resources.has_triton() if card else resources.compiler() is not None,
        torch=torch.__version__,
        card_unseen=resources.has_nvidia_driver() and not torch.cuda.is_available(),
    )
