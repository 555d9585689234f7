import json
import sysconfig
from importlib import metadata
from itertools import product
from pathlib import Path, PurePath

import pytest

from unmask.core import manifests
from unmask.core.errors import UserError
from unmask.demo import text
from unmask.demo.text import Package

LABELS = ["alpha", "beta", "gamma", "delta"]
SENTENCE = "This function of the {name} package computes the {word} of what it is given, "
SECOND = "and it answers with a list of the values found on the way."
DOCSTRING = f'"""{SENTENCE}\n    {SECOND}"""'


def package(root: Path, name: str, sources: dict[str, str]) -> Package:
    for path, source in sources.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(source, encoding="utf-8")
    return Package(name, "1.0", root, tuple(map(PurePath, sources)), (name,))


@pytest.fixture(scope="module")
def environment(tmp_path_factory) -> list[Package]:
    """Four packages of 40 modules with 6 docstrings each."""
    words = ["".join(letters) for letters in product("bcdf", "aeiou", "lmnr", "aeiou", "stk")]
    left = iter(words)
    return [
        package(
            tmp_path_factory.mktemp(label),
            label,
            {
                f"{label}/module{number}.py": "\n".join(
                    f"def f{index}():\n    {DOCSTRING.format(name=label, word=next(left))}"
                    for index in range(6)
                )
                for number in range(40)
            },
        )
        for label in LABELS
    ]


def rows(out: Path, name: str) -> list[dict[str, str]]:
    return [json.loads(line) for line in (out / name).read_text(encoding="utf-8").splitlines()]


def gathered(out: Path, environment: list[Package], **settings: int) -> dict[str, object]:
    return text.gather(out, packages=environment, **({"seed": 0} | settings))


def test_one_document_is_one_modules_docstrings(tmp_path, environment):
    facts = gathered(tmp_path / "out", environment)

    documents = rows(tmp_path / "out", "documents.jsonl")
    assert facts["documents"] == len(documents)
    assert facts["bytes"] == sum(len(row["text"]) for row in documents)
    for row in documents:
        lines = row["text"].splitlines()
        assert len(lines) == 6
        assert all(line.endswith(f"given, {SECOND}") for line in lines)


def test_the_name_of_a_class_cannot_be_read_off_its_passages(tmp_path, environment):
    gathered(tmp_path / "out", environment)

    task = rows(tmp_path / "out", "train.jsonl")
    assert {row["label"] for row in task} == set(LABELS)
    assert all("of the it package" in row["text"] for row in task)


def test_no_module_and_no_text_is_in_two_splits(tmp_path, environment):
    modules = text.read(environment, 10**6, seed=0)
    gathered(tmp_path / "out", environment)

    names = [module.name for module in modules]
    task = {split: rows(tmp_path / "out", f"{split}.jsonl") for split in ("train", "dev", "test")}
    pretraining = "".join(row["text"] for row in rows(tmp_path / "out", "documents.jsonl"))
    words = [row["text"].split()[8] for split in task.values() for row in split]
    assert len(names) == len(set(names)) == 160
    assert all(task.values())
    assert len(words) == len(set(words))
    assert not any(word in pretraining for word in words)


def test_the_same_environment_gives_the_same_bytes(tmp_path, environment):
    for out, seed in (("a", 0), ("b", 0), ("c", 2)):
        gathered(tmp_path / out, environment, seed=seed)

    digests = [manifests.read(tmp_path / out).digest for out in "abc"]
    assert digests[0] == digests[1] != digests[2]


def test_a_text_once_gathered_is_kept_when_packages_come_and_go(tmp_path, environment, capsys):
    facts = gathered(tmp_path / "out", environment)

    assert gathered(tmp_path / "out", environment[:3]) == facts
    assert facts["packages"]["delta"] == "1.0"
    assert "done already" in capsys.readouterr().err


def test_the_summary_names_size_and_classes(tmp_path, environment, capsys):
    gathered(tmp_path / "out", environment)

    size, classes = capsys.readouterr().err.splitlines()[-2:]
    assert size.startswith("pretraining text: ")
    assert size.endswith(" MB")
    assert "alpha " in classes


def test_a_split_without_room_for_every_class_is_refused(tmp_path, environment):
    with pytest.raises(UserError, match="7 passages in dev: less than one of each class"):
        gathered(tmp_path / "out", environment, dev=7)


def documented(words: str) -> str:
    return f'"""{words}, told at a length that is worth keeping."""\n'


def texts(packages: list[Package], budget: int = 10**6) -> list[str]:
    return [module.text for module in text.read(packages, budget, seed=0)]


def test_a_budget_cuts_the_large_package_and_keeps_the_small_one_whole(tmp_path):
    large = {f"large/m{n}.py": documented(f"Large number {n}") for n in range(200)}
    small = {f"small/m{n}.py": documented(f"Small number {n}") for n in range(10)}

    modules = text.read(
        [package(tmp_path, "large", large), package(tmp_path, "small", small)], 3000, seed=0
    )

    pretraining = [module.text for module in modules if module.split == "pretraining"]
    assert 2900 < sum(map(len, pretraining)) <= 3000
    assert sum(module.package == "small" for module in modules) == 10


def test_duplicate_and_short_docstrings_are_dropped(tmp_path):
    once, short = documented("Said once"), '"""Too short to say a thing."""\n'
    sources = {
        "p/a.py": once,
        "p/b.py": once,
        "p/c.py": short,
        "p/d.py": f"{once}class A:\n {once}",
    }

    assert texts([package(tmp_path, "p", sources)]) == [once[3:-4]]


def test_generated_huge_missing_and_broken_files_are_passed_over(tmp_path):
    kept = documented("A module")
    sources = {
        "p/kept.py": kept,
        "p/generated.py": "# This file was AUTO-GENERATED\n" + documented("A copy"),
        "p/huge.py": documented("Too large") + "#" * text.LARGEST_FILE,
        "p/broken.py": documented("Broken") + "print 'hello'",
        "p/gone.py": "",
    }
    tree = package(tmp_path, "p", sources)
    (tmp_path / "p/gone.py").unlink()

    assert texts([tree]) == [kept[3:-4]]


def test_topics_are_documents_that_are_never_held_out(tmp_path):
    topics = {f"topic{n}": f"The topic {n} is told here" for n in range(20)}
    sources = {"pydoc_data/topics.py": f"topics = {topics!r}"}

    modules = text.read([package(tmp_path, "python", sources)], 10**6, seed=0)

    assert [module.text for module in modules] == list(topics.values())
    assert {module.split for module in modules} == {"pretraining"}


def test_what_is_installed_is_the_standard_library_and_each_distribution(tmp_path, monkeypatch):
    library, site = tmp_path / "lib", tmp_path / "lib" / "site-packages"
    record = ["skl/a.py", "skl/tests/b.py", "skl/_vendor/c.py", "skl/d.so", "skl/e_pb2.py"]
    record += ["skl/test_f.py", "skl/conftest.py", "../../bin/g.py", "alone.py"]
    for path in ("site-packages/skl/a.py", "asyncio/queues.py", "test/test_ast.py"):
        (library / path).parent.mkdir(parents=True, exist_ok=True)
        (library / path).touch()
    information = site / "scikit_learn-1.9.dist-info"
    information.mkdir()
    (information / "METADATA").write_text("Name: scikit-learn\nVersion: 1.9\n")
    (information / "RECORD").write_text("".join(f"{path},,\n" for path in record))
    distributions = list(metadata.distributions(path=[str(site)]))
    monkeypatch.setattr(metadata, "distributions", lambda: distributions)
    monkeypatch.setattr(sysconfig, "get_path", lambda name: str(library))

    python, learn = text.installed()

    files, names = (PurePath("alone.py"), PurePath("skl/a.py")), ("scikit-learn", "alone", "skl")
    assert learn == Package("scikit-learn", "1.9", site, files, names)
    assert (python.name, python.files) == ("python", (PurePath("asyncio/queues.py"),))
