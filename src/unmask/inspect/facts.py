"""The counts of a tokens folder, ready to be read."""

from collections.abc import Mapping

from unmask.corpus.split import SPLITS, Split
from unmask.inspect.look import Table
from unmask.tokenizer.tokenizer import Tokenizer
from unmask.tokens.plan_names import PlanName
from unmask.tokens.plans.plan import Plan
from unmask.tokens.read import TokenFolder

NAMES = {"padding_share": "padding", "crossing_share": "blocks over several documents"}
COUNTS = ("documents", "empty_documents", "sentences", "tokens", "shards")


def facts(folder: TokenFolder, tokenizer: Tokenizer) -> tuple[tuple[str, str], ...]:
    """What holds for the folder as a whole."""
    outputs = folder.manifest.outputs
    stored = size(sum(output.bytes for output in outputs))
    return (
        ("files", f"{len(outputs):,} files, {stored}, hashes verified"),
        ("digest", folder.manifest.digest[:12]),
        (
            "tokenizer",
            f"{tokenizer.family}, {tokenizer.vocabulary:,} ids, {tokenizer.fingerprint[:12]}",
        ),
        ("encoder", str(folder.manifest.facts["encoder"])),
    )


def text_table(folder: TokenFolder) -> Table:
    """What was encoded, as the manifest counts it."""
    return _table("text", {split: _text(folder, split) for split in SPLITS})


def plan_table(name: PlanName, plans: Mapping[Split, Plan]) -> Table:
    """What a plan makes of both splits."""
    length = next(iter(plans.values())).length
    columns: dict[Split, dict[str, str]] = {
        split: {key: _said(key, value) for key, value in plan.report().items()}
        for split, plan in plans.items()
    }
    return _table(f"blocks: {name}, length {length}", columns)


def size(count: int) -> str:
    """Write a number of bytes in the unit that makes it short."""
    for power, unit in ((4, "TB"), (3, "GB"), (2, "MB"), (1, "kB")):
        if count >= 1000**power:
            return f"{count / 1000**power:.1f} {unit}"
    return f"{count} bytes"


def _text(folder: TokenFolder, split: Split) -> dict[str, str]:
    counts = {name: folder.manifest.facts[f"{split}_{name}"] for name in COUNTS}
    stored = sum(
        output.bytes for output in folder.manifest.outputs if output.path.startswith(f"{split}-")
    )
    tokens = counts["tokens"]
    return {
        **{name: f"{count:,}" for name, count in counts.items()},
        "tokens a sentence": _ratio(tokens, counts["sentences"]),
        "tokens a document": _ratio(tokens, counts["documents"]),
        "bytes a token, stored": _ratio(stored, tokens, digits=2),
    }


def _ratio(part: int, whole: int, digits: int = 1) -> str:
    return f"{part / whole:,.{digits}f}" if whole else "–"


def _said(key: str, value: float) -> str:
    return f"{value:.1%}" if key.endswith("_share") else f"{value:,}"


def _table(title: str, columns: Mapping[Split, Mapping[str, str]]) -> Table:
    train, valid = (columns[split] for split in SPLITS)
    rows = tuple(
        (NAMES.get(name, name.replace("_", " ")), train[name], valid[name]) for name in train
    )
    return Table(title, rows)
