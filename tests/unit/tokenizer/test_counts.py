import random

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from unmask.core import manifests
from unmask.core.errors import UserError
from unmask.tokenizer import counts
from unmask.tokenizer.pretokens import SCHEMA


def table(words):
    ordered = sorted(words.items())
    columns = [[word for word, _ in ordered], [count for _, count in ordered]]
    return pa.table([pa.array(columns[0], pa.binary()), columns[1]], schema=SCHEMA)


def contents(path):
    read = pa.concat_tables([SCHEMA.empty_table(), *counts.read(path)])
    return dict(zip(read["word"].to_pylist(), read["count"].to_pylist(), strict=True))


def random_words(seed):
    draw = random.Random(seed)
    return {
        bytes(draw.choices(b"ab\xff", k=draw.randint(1, 6))): draw.randint(1, 9) for _ in range(200)
    }


@pytest.fixture
def small_blocks(monkeypatch):
    monkeypatch.setattr(counts, "_BLOCK_ROWS", 7)
    monkeypatch.setattr(counts, "_GROUP_ROWS", 16)


@pytest.mark.usefixtures("small_blocks")
def test_merging_adds_up_and_sorts(tmp_path):
    runs = [random_words(seed) for seed in range(5)] + [{}, {b"only": 2**40}]
    paths = [tmp_path / f"{number}" for number in range(len(runs))]
    for path, words in zip(paths, runs, strict=True):
        counts.write(path, [table(words)])

    found = counts.write(tmp_path / "merged", counts.merge(paths))

    expected = {word: sum(run.get(word, 0) for run in runs) for run in runs for word in run}
    assert contents(tmp_path / "merged") == expected
    assert list(contents(tmp_path / "merged")) == sorted(expected)
    assert found == {"distinct_words": len(expected), "words": sum(expected.values())}


@pytest.mark.usefixtures("small_blocks")
def test_equal_words_give_equal_bytes_however_they_were_split(tmp_path):
    whole = table(random_words(0))
    counts.write(tmp_path / "whole", [whole])
    counts.write(tmp_path / "pieces", [whole[:5], whole[5:6], whole[6:40], whole[40:]])
    for parity in (0, 1):
        half = whole.filter(pa.array([row % 2 == parity for row in range(len(whole))]))
        counts.write(tmp_path / f"half-{parity}", [half])
    counts.write(tmp_path / "merged", counts.merge([tmp_path / "half-0", tmp_path / "half-1"]))

    assert (tmp_path / "pieces").read_bytes() == (tmp_path / "whole").read_bytes()
    assert (tmp_path / "merged").read_bytes() == (tmp_path / "whole").read_bytes()


def test_a_run_is_a_parquet_file_that_others_can_read(tmp_path):
    counts.write(tmp_path / "run", [table({b" the": 2**33, b"\xc3\xa9": 1})])

    read = pq.read_table(tmp_path / "run")
    assert read.to_pydict() == {"word": [b" the", b"\xc3\xa9"], "count": [2**33, 1]}
    assert read.schema.field("count").type == pa.uint64()


def test_rare_words_are_left_out_and_told(tmp_path):
    counts.write(tmp_path / "run", [table({b"a": 6, b"bc": 3, b"d": 1})])

    chosen = counts.choose(tmp_path / "run", 3)

    assert bytes(chosen.words.letters_S) == b"abc"
    assert chosen.words.lengths_W.tolist() == [1, 2]
    assert chosen.words.counts_W.tolist() == [6, 3]
    assert (chosen.left_out, chosen.left_out_share) == (1, 0.1)
    assert counts.choose(tmp_path / "run", 1).left_out == 0
    assert counts.choose(tmp_path / "run", 7).left_out_share == 1.0


@pytest.mark.parametrize(
    "spoil",
    [
        lambda data: b"",
        lambda data: data[:-9],
        lambda data: data[:20] + b"\x00\xff" * 4 + data[28:],
        lambda data: data[:200] + bytes([data[200] ^ 1]) + data[201:],
    ],
)
def test_a_damaged_run_is_named(tmp_path, spoil):
    path = tmp_path / "run"
    counts.write(path, [table(random_words(0))])
    path.write_bytes(spoil(path.read_bytes()))

    with pytest.raises(UserError, match=r"(?s)run: damaged \(.*\)") as error:
        list(counts.read(path))
    assert "unmask counts again with --force" in error.value.hint


def test_another_parquet_file_is_no_run(tmp_path):
    pq.write_table(pa.table({"word": ["a"], "count": [1]}), tmp_path / "run")

    with pytest.raises(UserError, match=r"run: damaged \(other columns\)"):
        list(counts.read(tmp_path / "run"))


def folder_of_counts(tmp_path, stage="counts", pretokens="gpt-2"):
    counts.write(tmp_path / counts.NAME, [table({b"a": 1})])
    manifests.write(tmp_path, stage, {}, [], {"pretokens": pretokens})
    return tmp_path


def test_a_folder_of_another_stage_is_refused(tmp_path):
    with pytest.raises(UserError, match="was written by unmask corpus and holds no counts"):
        counts.find(folder_of_counts(tmp_path, stage="corpus"))


def test_counts_of_words_that_were_cut_otherwise_are_refused(tmp_path):
    with pytest.raises(UserError, match="counts words cut by spaces, not by gpt-2"):
        counts.find(folder_of_counts(tmp_path, pretokens="spaces"))


def test_a_folder_that_was_cut_short_is_refused(tmp_path):
    folder = folder_of_counts(tmp_path)
    size = (folder / counts.NAME).stat().st_size
    (folder / counts.NAME).write_bytes(b"")

    with pytest.raises(UserError, match=rf"damaged \(0 bytes, its manifest says {size}\)"):
        counts.find(folder)
