"""Text that every machine has: the documentation of the Python that is installed on it.

Nothing is downloaded and nothing shipped; sources are parsed and never imported.
"""

import dataclasses
import gc
import heapq
import json
import platform
import re
import sysconfig
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from importlib import metadata
from pathlib import Path, PurePath
from typing import Any

from unmask.core import manifests
from unmask.core.errors import UserError
from unmask.core.hashing import stream
from unmask.core.progress import bar, say
from unmask.demo import docstrings, passages
from unmask.demo.passages import Passage

STAGE = "demo-text"
TOPICS = PurePath("pydoc_data/topics.py")
LARGEST_FILE = 1 << 20
SHORTEST_DOCSTRING = 40
"""Characters."""
TESTS = {"test", "tests", "idle_test"}
COPIES = {"vendor", "_vendor", "vendored", "_vendored", "extern", "externals", "third_party"}
NOT_DOCUMENTATION = TESTS | COPIES | {"generated", "_generated", "site-packages", "dist-packages"}
GENERATED = re.compile(rb"generated (?:by|from)|auto-?generated|do not edit", re.IGNORECASE)


@dataclasses.dataclass(frozen=True, slots=True)
class Package:
    """An installed distribution, or the standard library."""

    name: str
    version: str
    root: Path
    files: tuple[PurePath, ...]
    """Its Python sources, relative to root."""
    names: tuple[str, ...]
    """What it is called in prose and code."""


@dataclasses.dataclass(frozen=True, slots=True)
class Module:
    """The documentation of one source file."""

    name: str
    package: str
    split: str
    docstrings: tuple[str, ...]

    @property
    def text(self) -> str:
        """One paragraph, list item or line of code a line."""
        return "\n".join(self.docstrings)


def gather(
    out: Path,
    *,
    seed: int,
    budget_bytes: int = 12_000_000,
    train: int = 1500,
    dev: int = 400,
    test: int = 800,
    packages: Sequence[Package] | None = None,
    force: bool = False,
) -> dict[str, Any]:
    """Write pretraining text (`documents.jsonl`) and a labelled task beside it; return the facts.

    Args:
        out: the artifact folder.
        seed: which modules are held out, and which passages are drawn from them.
        budget_bytes: pretraining text at most, shared as evenly as the packages allow.
        train: labelled passages at most; each class gets the same share.
        dev: as train.
        test: as train.
        packages: None takes everything that is installed.
        force: do it again even if `out` holds the result.

    Raises UserError where the packages make no task, or `out` holds something else.
    """
    sizes = {"train": train, "dev": dev, "test": test}
    for split, size in sizes.items():
        if size < passages.CLASSES:
            raise UserError(
                f"{size} passages in {split}: less than one of each class",
                f"ask for {passages.CLASSES} or more",
            )
    chosen = installed() if packages is None else packages
    config = {"seed": seed, "budget_bytes": budget_bytes, **sizes}
    if manifests.is_done(out, STAGE, config, [], force=force):
        return manifests.read(out).facts
    modules = read(chosen, budget_bytes, seed)
    names = {package.name: package.names for package in chosen}
    task = passages.label(_passages(modules, seed), names, sizes, seed)
    documents = [module.text for module in modules if module.split == "pretraining"]
    # The text is a snapshot: installing another package later does not make it another's.
    facts = _facts(documents, task)
    facts["packages"] = {package.name: package.version for package in chosen}
    with manifests.building(out) as folder:
        _write(folder / "documents.jsonl", ({"text": text} for text in documents))
        for split, rows in task.items():
            pairs = ({"text": row.text, "label": row.label} for row in rows)
            _write(folder / f"{split}.jsonl", pairs)
        manifests.write(folder, STAGE, config, [], facts)
    _summarise(facts)
    return facts


def installed() -> list[Package]:
    """Find the standard library and every distribution that lists its files, by name."""
    found: dict[str, Package] = {}
    for distribution in metadata.distributions():
        files = tuple(sorted(PurePath(file) for file in distribution.files or () if _wanted(file)))
        name = distribution.metadata["Name"]
        if files and name not in found:  # the first on the path is the one that is imported
            root = Path(str(distribution.locate_file("")))
            tops = sorted({file.parts[0].removesuffix(".py") for file in files})
            found[name] = Package(name, distribution.version, root, files, (name, *tops))
    return [_standard_library(), *(found[name] for name in sorted(found))]


def read(packages: Sequence[Package], budget_bytes: int, seed: int) -> list[Module]:
    """Read modules until the pretraining text fills the budget.

    The package with the least text so far is always next, so small ones are read whole and large
    ones cut alike. A package's modules come in the order of a hash: what is cut is a sample.
    """
    queues = [_modules(package, seed) for package in packages]
    least = [(0, number) for number in range(len(packages))]
    seen: set[str] = set()
    modules = []
    room = budget_bytes
    with _no_collection(), bar("read documentation", budget_bytes) as progress:
        while least:
            size, number = heapq.heappop(least)
            module = next(queues[number], None)
            if module is None:
                continue
            module = _unseen(module, seen)
            length = len(module.text.encode())
            heapq.heappush(least, (size + length, number))
            if module.split == "pretraining":
                if length > room:
                    break
                room -= length
                progress.advance(length, note=module.package)
            if module.docstrings:
                modules.append(module)
    return modules


@contextmanager
def _no_collection() -> Iterator[None]:
    """Spare syntax trees the search for cycles, of which they have none: a quarter of the time."""
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


def _standard_library() -> Package:
    root = Path(sysconfig.get_path("stdlib"))
    paths = (path.relative_to(root) for path in root.rglob("*.py"))
    files = tuple(sorted(path for path in paths if _wanted(path)))
    return Package("python", platform.python_version(), root, files, ("python", "cpython"))


def _wanted(path: PurePath) -> bool:
    if path.suffix != ".py" or NOT_DOCUMENTATION & set(path.parts) or ".." in path.parts:
        return False
    return not path.name.startswith(("test_", "conftest")) and not path.stem.endswith("_pb2")


def _modules(package: Package, seed: int) -> Iterator[Module]:
    """Yield the package's modules as their files are read."""
    if TOPICS in package.files:
        # The topics repeat each other's sections, so none is held out.
        for topic, text in docstrings.topics((package.root / TOPICS).read_bytes()).items():
            name = f"pydoc_data.topics.{topic}"
            yield Module(name, package.name, "pretraining", (docstrings.unwrap(text),))
    drawn = {_dotted(path): path for path in package.files if path != TOPICS}
    for name in sorted(drawn, key=lambda name: (stream(f"demo order {name}", seed), name)):
        texts = tuple(_docstrings(package.root / drawn[name]))
        yield Module(name, package.name, passages.deal(name, passages.MODULES, seed), texts)


def _docstrings(path: Path) -> list[str]:
    """Docstrings long enough to say something; none of a file that is gone, huge or generated."""
    if not path.is_file() or path.stat().st_size > LARGEST_FILE:
        return []
    source = path.read_bytes()
    if GENERATED.search(source[:1000]):
        return []
    texts = docstrings.read(source)
    return [docstrings.unwrap(text) for text in texts if len(text) >= SHORTEST_DOCSTRING]


def _dotted(path: PurePath) -> str:
    """`a/b/__init__.py` is `a.b`."""
    return ".".join(path.with_suffix("").parts).removesuffix(".__init__")


def _unseen(module: Module, seen: set[str]) -> Module:
    """Leave out docstrings that stood anywhere before."""
    fresh = [text for text in dict.fromkeys(module.docstrings) if text not in seen]
    seen.update(fresh)
    return dataclasses.replace(module, docstrings=tuple(fresh))


def _passages(modules: Iterable[Module], seed: int) -> Iterator[Passage]:
    for module in modules:
        for docstring in module.docstrings:
            if text := passages.prose(docstring):
                in_task = module.split == "task"
                split = passages.deal(text, passages.PASSAGES, seed) if in_task else module.split
                yield Passage(text, module.package, split)


def _write(path: Path, rows: Iterable[Mapping[str, str]]) -> None:
    with path.open("w", encoding="utf-8") as file:
        file.writelines(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)


def _facts(documents: Sequence[str], task: Mapping[str, Sequence[Passage]]) -> dict[str, Any]:
    classes: dict[str, dict[str, int]] = {}
    for split, rows in task.items():
        for name, count in sorted(Counter(row.label for row in rows).items()):
            classes.setdefault(name, {})[split] = count
    return {
        "documents": len(documents),
        "bytes": sum(len(text.encode()) for text in documents),
        **{split: len(rows) for split, rows in task.items()},
        "classes": classes,
    }


def _summarise(facts: Mapping[str, Any]) -> None:
    classes = ", ".join(
        f"{name} {'/'.join(map(str, counts.values()))}" for name, counts in facts["classes"].items()
    )
    say(f"pretraining text: {facts['documents']:,} documents, {facts['bytes'] / 1e6:.1f} MB")
    say(f"labelled passages (train/dev/test): {classes}")
