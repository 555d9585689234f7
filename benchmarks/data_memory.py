"""Peak memory of the data stages on a small and on a large corpus.

    python benchmarks/data_memory.py

64 MB and 512 MB of text: real documents, repeated and perturbed. Each stage is a process of its
own with two workers; what is measured is the sum over the whole tree of processes.
"""

import shutil
import tempfile
from pathlib import Path

import processes
import results
import text

SIZES = {"64 MB": 64 * text.MB, "512 MB": 512 * text.MB}
VOCABULARY = 16_384
MB = 1 << 20


def main() -> None:
    """Measure every stage on both sizes."""
    peaks: dict[str, dict[str, int]] = {}
    with tempfile.TemporaryDirectory() as scratch:
        for name, size in SIZES.items():
            folder = Path(scratch) / name.replace(" ", "")
            folder.mkdir()
            origin = text.write(folder / "text.txt", size)
            peaks[name] = _stages(folder)
            shutil.rmtree(folder)
    small, large = peaks.values()
    rows = [
        {
            "stage": stage,
            **{f"peak on {size}": f"{peaks[size][stage] / MB:,.0f} MB" for size in SIZES},
            "difference": f"{large[stage] / small[stage] - 1:+.1%}",
        }
        for stage in small
    ]
    results.write(
        "data-memory",
        title="Memory of the data stages",
        text="Peak resident memory, summed over all processes of a stage (two workers), on two "
        f"sizes of text: {origin}, repeated with words swapped. The target is a difference of "
        "less than 20 %.",
        rows=rows,
        samples=peaks,
    )


def _stages(folder: Path) -> dict[str, int]:
    corpus, tokenizer = folder / "corpus", folder / "tokenizer"
    two = ("--workers", "2")
    commands = {
        "corpus": ("--inputs", folder / "text.txt", "--out", corpus, *two),
        "tokenizer": ("--corpus", corpus, "--vocabulary", VOCABULARY, "--out", tokenizer, *two),
        "tokens": ("--corpus", corpus, "--tokenizer", tokenizer, "--out", folder / "t", *two),
    }
    return {stage: processes.unmask(stage, *words).peak_bytes for stage, words in commands.items()}


if __name__ == "__main__":
    main()
