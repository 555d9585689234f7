"""How fast a backend answers, on the texts the export is measured by.

Legend: N sequences, B of a batch.
"""

import statistics
import time

import numpy as np

from unmask.finetune.sequences import Sequences
from unmask.infer.backend import Backend
from unmask.infer.batches import answered, padded

MOST = 256
LEAST_S = 1.0
"""A pass of a small model is too short to tell runtimes apart."""
ALONE = 20


def sentences_per_s(backend: Backend, sequences: Sequences, pad_id: int) -> float:
    """Sequences a second, in batches of similar length: the median pass, after one to warm up."""
    most = min(MOST, len(sequences))
    lengths = sequences.lengths_N[:most].tolist()

    def seconds() -> float:
        started = time.perf_counter()
        for _ in answered(
            backend, lengths, lambda group: padded(sequences, np.array(group), pad_id)
        ):
            pass
        return time.perf_counter() - started

    seconds()
    times = [seconds()]
    while sum(times) < LEAST_S:
        times.append(seconds())
    return most / statistics.median(times)


def latency_ms(backend: Backend, sequences: Sequences, pad_id: int) -> float:
    """Milliseconds for one sequence alone: the median of some."""
    times = []
    for index in range(min(ALONE, len(sequences))):
        batch = padded(sequences, np.array([index]), pad_id)
        backend.logits(batch)
        started = time.perf_counter()
        backend.logits(batch)
        times.append(time.perf_counter() - started)
    return 1e3 * statistics.median(times)
