"""What a corpus holds depends neither on how many worked on it nor on how the work was cut."""

import json
import random
from pathlib import Path

import pytest

from unmask.core import manifests
from unmask.core.errors import UserError
from unmask.corpus import passes, reading, store, writing
from unmask.corpus.config import CorpusConfig, FilterConfig
from unmask.corpus.duplicates import hashes
from unmask.corpus.run import run

WORDS = [f"word{number}" for number in range(300)]
FILTERS = FilterConfig(min_characters=30, max_repeated_lines=0.5)


@pytest.fixture(autouse=True)
def _texts_in_a_folder(tmp_path, monkeypatch):
    """Three files with repeats within, between and far from each other, and some bad documents."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(passes, "SMALLEST_SLICE", 20_000)
    dice = random.Random(0)
    documents = [" ".join(dice.choices(WORDS, k=dice.randint(2, 60))) for _ in range(600)]
    documents += dice.choices(documents, k=60)
    documents += [near(document, dice) for document in dice.choices(documents, k=60)]
    documents += ["a line that is long enough\n" * 5, "", "😀"]
    dice.shuffle(documents)
    Path("texts").mkdir()
    for number in range(3):
        rows = [json.dumps({"text": text}) for text in documents[number::3]]
        Path("texts", f"{number}.jsonl").write_text("\n".join(rows), encoding="utf-8")


def near(document, dice):
    words = document.split()
    words[dice.randrange(len(words))] = "changed"
    return " ".join(words)


def make(out, **settings):
    settings = {"valid_fraction": 0.1, "filters": FILTERS, "near_duplicates": 0.7} | settings
    run(CorpusConfig(inputs=("texts",), out=Path(out), **settings))
    return manifests.read(Path(out))


def documents(out):
    return [
        (split, document)
        for split in ("train", "valid")
        for document in store.documents(Path(out), split)
    ]


def test_one_worker_and_two_write_the_same_bytes():
    one = make("one", workers=1)
    two = make("two", workers=2)

    assert len(one.outputs) > 10
    assert one.facts["dropped"]["duplicate"] > 30
    assert one.facts["dropped"]["near_duplicate"] > 10
    assert one.digest == two.digest
    assert one.facts == two.facts


def test_other_slices_parts_and_buckets_give_the_same_documents(monkeypatch):
    facts = make("one", workers=1).facts
    monkeypatch.setattr(passes, "SMALLEST_SLICE", 12_000)
    monkeypatch.setattr(store, "PART_DOCUMENTS", 40)
    monkeypatch.setattr(hashes, "BUCKET_HASHES", 4000)

    assert make("other", workers=1).facts == facts
    assert documents("other") == documents("one")


def test_the_first_of_what_is_repeated_is_kept():
    texts = [
        json.loads(line)["text"].rstrip("\n")
        for number in range(3)
        for line in Path("texts", f"{number}.jsonl").read_text(encoding="utf-8").splitlines()
    ]
    make("out", workers=1, valid_fraction=0, filters=FilterConfig(), near_duplicates=None)

    kept = [document.text for _, document in documents("out")]

    assert kept == [text for text in dict.fromkeys(texts) if text]
    sources = {document.text: document.source for _, document in documents("out")}
    first = texts[len(texts) // 2]
    assert sources[first] == f"texts/{texts.index(first) // (len(texts) // 3)}.jsonl"


def stop_after(monkeypatch, module, name, count):
    """Make the function of a pass fail, as by a kill, after some tasks."""
    whole = getattr(module, name)
    done = []

    def function(task):
        if len(done) == count:
            raise KeyboardInterrupt
        done.append(task)
        return whole(task)

    function.__name__ = name
    monkeypatch.setattr(module, name, function)
    return done


@pytest.mark.parametrize(("module", "name"), [(reading, "read"), (writing, "write")])
def test_a_run_that_was_stopped_goes_on_and_ends_the_same(monkeypatch, capsys, module, name):
    whole = make("whole", workers=1)
    with monkeypatch.context() as patch:
        stop_after(patch, module, name, 3)
        with pytest.raises(KeyboardInterrupt):
            make("stopped", workers=1)
    Path(".stopped.building", ".train-000000-0000.parquet.77.part").write_bytes(b"half")
    done = stop_after(monkeypatch, module, name, 1000)
    capsys.readouterr()

    resumed = make("stopped", workers=1)

    total = sum(path.startswith("train") for path in (o.path for o in whole.outputs))
    assert len(done) == total - 3
    assert f"3 of {total} tasks were done before and are kept" in capsys.readouterr().err
    assert resumed.digest == whole.digest
    assert resumed.facts == whole.facts


def test_other_settings_start_anew_after_a_stop(monkeypatch):
    with monkeypatch.context() as patch:
        stop_after(patch, writing, "write", 3)
        with pytest.raises(KeyboardInterrupt):
            make("stopped", workers=1)

    resumed = make("stopped", workers=1, valid_fraction=0.5)

    assert resumed.digest == make("fresh", workers=1, valid_fraction=0.5).digest


def test_two_runs_into_one_folder_at_once_are_refused(monkeypatch):
    import subprocess
    import sys

    hold = (
        "import sys; from pathlib import Path; from unmask.core import locks\n"
        "locks.hold(Path('out')); print('held', flush=True); sys.stdin.read()"
    )
    other = subprocess.Popen(
        [sys.executable, "-c", hold], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    other.stdout.readline()

    with pytest.raises(UserError, match="another run is writing there"):
        make("out", workers=1)

    other.communicate()
    make("out", workers=1)
