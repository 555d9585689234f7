"""How far an exported model is from the one it was made from, on real text.

Legend: N texts.
"""

import dataclasses
import time

import numpy as np
from tokenizers import Encoding

from unmask.core.progress import bar
from unmask.infer.pipelines import Pipeline


@dataclasses.dataclass(frozen=True, slots=True)
class Parity:
    """Differences of logits at real tokens, and speed of both sides on the same texts."""

    texts: int
    max_difference: float
    mean_difference: float
    same_argmax: float
    """Share of predictions (texts, or masked-LM positions) with the same best class."""
    sentences_per_s: dict[str, float]
    """By backend, batches of similar length, after one warm-up pass."""


def compare(reference: Pipeline, exported: Pipeline, encodings: list[Encoding]) -> Parity:
    """Run both on the same texts; padded positions of masked-LM logits do not count."""
    worst, total, count, same, choices = 0.0, 0.0, 0, 0, 0
    pairs = zip(reference.run(encodings), exported.run(encodings), strict=True)
    with bar("parity", len(encodings)) as progress:
        for (index, expected), (_, found) in pairs:
            length = len(encodings[index].ids)
            left, right = (x[:length] if x.ndim > 1 else x[None] for x in (expected, found))
            difference = np.abs(left - right)
            worst = max(worst, float(difference.max()))
            total += float(difference.sum())
            count += difference.size
            same += int((left.argmax(-1) == right.argmax(-1)).sum())
            choices += len(left)
            progress.advance()
    speeds = {item.backend.name: _speed(item, encodings) for item in (reference, exported)}
    return Parity(len(encodings), worst, total / count, same / choices, speeds)


def _speed(pipeline: Pipeline, encodings: list[Encoding]) -> float:
    started = time.perf_counter()
    for _ in pipeline.run(encodings):
        pass
    return len(encodings) / (time.perf_counter() - started)
