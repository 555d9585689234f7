"""Texts are read in windows: memory does not grow with them, and progress is told."""

import bz2
import gzip
import itertools
import json
import tracemalloc

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from unmask.core.errors import UserError
from unmask.finetune.choice.example import Question as Choice
from unmask.finetune.data_config import ChoicesConfig
from unmask.finetune.squad.read import Question
from unmask.infer import asked, texts
from unmask.infer.config import PredictConfig
from unmask.infer.reading import Meter, opened
from unmask.infer.streaming import Shown, Size, Windows
from unmask.infer.texts import Text

WIDE = Size(1000, 1 << 30)


def cut(items, size):
    return [(window.items, window.full) for window in Windows(iter(items), size)]


def test_windows_are_full_but_for_the_last():
    assert cut("abcde", Size(2, 999)) == [(["a", "b"], True), (["c", "d"], True), (["e"], False)]
    assert cut("abcd", Size(2, 999)) == [(["a", "b"], True), (["c", "d"], True)]
    assert cut("", Size(2, 999)) == []


def test_long_texts_fill_a_window_sooner():
    long = "x" * 50

    assert cut(["a", long, "b", long, long], Size(9, 40)) == [
        (["a", long], True),
        (["b", long], True),
        ([long], True),
    ]


def test_what_came_before_something_unreadable_is_a_window_that_is_not_full():
    def items():
        yield from "abc"
        raise UserError("line 4", "mend it")

    windows = iter(Windows(items(), Size(2, 999)))

    assert next(windows).full
    assert (found := next(windows)).items == ["c"]
    assert not found.full
    with pytest.raises(UserError, match="line 4"):
        next(windows)


def test_an_endless_stream_is_read_no_further_than_a_window_goes():
    read = itertools.count()

    next(iter(Windows(iter(read), Size(3, 999))))

    assert next(read) == 3


def test_the_same_beginning_has_the_same_hash_and_another_has_not():
    def digest(items, count):
        windows = Windows(iter(items), WIDE)
        windows.skip(count)
        return windows.read, windows.digest()

    assert digest("abcd", 3) == digest("abcx", 3)
    assert digest("abcd", 4)[1] != digest("abcx", 4)[1]
    assert digest(["ab", "c"], 2)[1] != digest(["a", "bc"], 2)[1]
    assert digest([Text("a", "b")], 1)[1] != digest([Text("a")], 1)[1]
    assert digest("ab", 5)[0] == 2


def test_where_a_question_stands_is_no_part_of_it():
    def digest(item):
        windows = Windows(iter([item]), WIDE)
        windows.skip_all()
        return windows.digest()

    assert digest(Question("1", "q", "c", (), "a: 1")) == digest(Question("1", "q", "c", (), "b"))
    assert digest(Question("1", "q", "c", (), "a")) != digest(Question("1", "q", "d", (), "a"))


def rows(count):
    return [{"text": f"text {n} {'and more ' * 8}", "second": str(n)} for n in range(count)]


def as_parquet(path, count):
    pq.write_table(pa.Table.from_pylist(rows(count)), path)
    return path.read_bytes()


def written(folder, name, count):
    """A file of so many texts, in the form that its name says."""
    path = folder / f"{count}-{name}"
    form = name.removesuffix(".gz").removesuffix(".bz2")
    held = rows(count)
    match form:
        case "a.txt":
            content = "".join(f"{row['text']}\n\n" for row in held).encode()
        case "a.jsonl":
            content = "".join(json.dumps(row) + "\n" for row in held).encode()
        case "a.parquet":
            content = as_parquet(folder / f"{count}-plain.parquet", count)
        case _:
            mark = "\t" if form == "a.tsv" else ","
            lines = [f"{row['text']}{mark}{row['second']}" for row in held]
            content = "\n".join([f"text{mark}second", *lines, ""]).encode()
    packed = {".gz": gzip.compress, ".bz2": bz2.compress}.get(path.suffix, bytes)
    path.write_bytes(packed(content))
    return path


FILES = [*("a.txt", "a.tsv", "a.csv", "a.jsonl", "a.parquet"), "a.txt.gz", "a.parquet.gz"]


def peak(items):
    """Bytes that were held at once while items were read in windows, and how many they were."""
    tracemalloc.start()
    try:
        read = sum(len(window.items) for window in Windows(items, Size(64, 1 << 20)))
        return tracemalloc.get_traced_memory()[1], read
    finally:
        tracemalloc.stop()


def of_texts(path):
    return texts.read(PredictConfig(model=path, input=path))


def of_choices(path):
    columns = ChoicesConfig(options=("text", "second"), question="text")
    return asked.choices(PredictConfig(model=path, input=path, choices=columns))


@pytest.mark.parametrize(
    ("name", "items"), [*((name, of_texts) for name in FILES), ("a.jsonl", of_choices)]
)
def test_ten_times_the_lines_take_the_same_memory(tmp_path, monkeypatch, name, items):
    monkeypatch.setattr("unmask.finetune.table.records.ROWS_AT_ONCE", 64)
    found = {}
    for count in (60, 1000, 6000):  # the first one imports what is imported once
        found[count], read = peak(items(written(tmp_path, name, count)))
        assert read == count

    assert found[6000] - found[1000] < len(json.dumps(rows(6000))) / 4


@pytest.mark.parametrize("name", ["a.txt.bz2", "a.csv.gz", "a.jsonl.bz2", "a.parquet.gz"])
def test_packed_files_hold_the_same_texts(tmp_path, name):
    found = of_texts(written(tmp_path, name, 50))

    assert [one.text.strip() for one in found] == [row["text"].strip() for row in rows(50)]


def test_rows_come_as_a_table_is_read(tmp_path):
    path = tmp_path / "a.tsv"
    path.write_bytes(b"text\tn\nfirst\t1\nsecond\t2\nF\xe4hre\t3\n")
    found = texts.read(PredictConfig(model=tmp_path, input=path))

    assert [next(found), next(found)] == [Text("first"), Text("second")]
    with pytest.raises(UserError, match=r"a\.tsv: line 4 is not UTF-8"):
        next(found)


def test_old_line_ends_and_line_ends_in_quotes_are_those_of_tables(tmp_path):
    def read(name, content):
        (tmp_path / name).write_bytes(content)
        return [
            one.text for one in texts.read(PredictConfig(model=tmp_path, input=tmp_path / name))
        ]

    assert read("a.csv", b"text,n\rone,1\rtwo,2\r") == ["one", "two"]
    assert read("b.csv", b'text,n\r\n"one\r\nmore",1\r\ntwo,2') == ["one\r\nmore", "two"]
    assert read("c.csv", '\ufefftext\n"one\u2028two"\n'.encode()) == ["one\u2028two"]


def test_questions_are_numbered_over_all_windows(tmp_path):
    (tmp_path / "a.txt").write_text("one\n\ntwo\nthree\n")
    config = PredictConfig(model=tmp_path, input=tmp_path / "a.txt", question="who?")

    found = list(asked.questions(config))

    assert [(one.id, one.context, one.place) for one in found] == [
        ("1", "one", "text 1"),
        ("2", "two", "text 2"),
        ("3", "three", "text 3"),
    ]


def test_a_table_of_choices_without_rows_is_refused(tmp_path):
    (tmp_path / "a.tsv").write_text("q\ta\tb\n")
    columns = ChoicesConfig(options=("a", "b"), question="q")
    config = PredictConfig(model=tmp_path, input=tmp_path / "a.tsv", choices=columns)

    with pytest.raises(UserError, match=r"a\.tsv: has no questions"):
        list(asked.choices(config))
    (tmp_path / "a.tsv").write_text("q\ta\tb\nwho?\tx\ty\n")
    (choice,) = asked.choices(config)
    assert isinstance(choice, Choice)
    assert (choice.id, choice.question, choice.options) == ("1", "who?", ("x", "y"))


def test_a_file_that_may_not_be_read_is_told(tmp_path, monkeypatch):
    def denied(*_):
        raise PermissionError(13, "denied")

    monkeypatch.setattr("pathlib.Path.open", denied)

    with pytest.raises(UserError, match=r"a\.txt: may not be read"), opened(tmp_path / "a.txt"):
        pass


class Progress:
    """A bar that remembers."""

    def __init__(self):
        self.done, self.notes, self.totals = 0, [], []

    def advance(self, amount=1, note=""):
        self.done += amount
        self.notes.append(note)

    def expect(self, total):
        self.totals.append(total)


@pytest.mark.parametrize("name", ["a.txt", "a.jsonl", "a.tsv", "a.txt.gz"])
def test_the_total_is_estimated_from_the_bytes_read_so_far(tmp_path, name):
    count = 10_000
    path = written(tmp_path, name, count)
    meter, progress = Meter(), Progress()
    bar = Shown(progress, meter, 0)

    config = PredictConfig(model=tmp_path, input=path)
    for window in Windows(texts.read(config, lambda path: opened(path, meter)), WIDE):
        bar.advance(len(window.items))

    assert progress.done == count
    assert progress.totals[-1] == pytest.approx(count, rel=0.01)
    if not name.endswith(".gz"):  # which is so small that it is read at once
        assert all(total == pytest.approx(count, rel=0.15) for total in progress.totals[5:])
    assert all(note.endswith(" lines/s") for note in progress.notes)


def test_where_nothing_tells_the_total_none_is_told():
    progress = Progress()

    Shown(progress, Meter(), 0).advance(5)

    assert (progress.done, progress.totals) == (5, [])
