"""GLUE's public files, where they are at hand: counts, columns, quotes and label frequencies."""

import csv
import gzip
from collections import Counter

import pytest

from unmask.finetune.glue import files, heads, reading
from unmask.finetune.glue.tasks import task

ROWS = {
    ("cola", "train"): 8551,
    ("cola", "dev"): 1043,
    ("sst2", "train"): 67349,
    ("sst2", "dev"): 872,
    ("mrpc", "train"): 3668,
    ("mrpc", "dev"): 408,
    ("mrpc", "test"): 1725,
    ("qnli", "dev"): 5463,
    ("rte", "train"): 2490,
    ("rte", "dev"): 277,
    ("wnli", "train"): 635,
    ("wnli", "dev"): 71,
}
TEST_ROWS = {"sst2": 1821, "mrpc": 1725, "stsb": 1379, "qnli": 5463, "rte": 3000, "wnli": 146}


@pytest.fixture(scope="module")
def glue(shared_data):
    return shared_data / "glue"


@pytest.mark.parametrize(("name", "split"), ROWS)
def test_every_labelled_row_is_read(glue, name, split):
    (path,) = files.find(glue, task(name), split).values()

    rows = reading.read_classes(path, task(name))

    assert len(rows) == ROWS[name, split]
    assert {row.label for row in rows} == set(task(name).labels)
    assert all(row.text and (row.pair is None) == (task(name).pair is None) for row in rows)


@pytest.mark.parametrize(("split", "count"), [("train", 5749), ("dev", 1500), ("test", 1379)])
def test_every_score_is_read(glue, split, count):
    path = files.find(glue, task("stsb"), split)[split]

    rows = reading.read_numbers(path, task("stsb"))

    with gzip.open(path, "rt", encoding="utf-8", newline="") as file:
        expected = [(one, two, float(score)) for one, two, score in csv.reader(file)]
    assert len(rows) == count
    assert [(row.text, row.pair, row.label) for row in rows] == expected


@pytest.mark.parametrize(("name", "count"), TEST_ROWS.items())
def test_every_row_to_be_predicted_is_read(glue, name, count):
    (path,) = files.find(glue, task(name), "test").values()

    indices, rows = reading.read_test(path, task(name))

    assert len(rows) == count
    assert indices == [str(number) for number in range(count)]


def test_quotes_in_mrpc_are_characters_like_others(glue):
    path = files.find(glue, task("mrpc"), "train")["train"]
    with gzip.open(path, "rt", encoding="utf-8") as file:
        lines = [line.rstrip("\n").split("\t") for line in file][1:]

    rows = reading.read_classes(path, task("mrpc"))

    assert [[row.text, row.pair] for row in rows] == [line[3:] for line in lines]
    assert any(row.text.count('"') % 2 for row in rows)


@pytest.mark.parametrize("name", ["cola", "sst2", "mrpc", "rte"])
def test_fairseqs_order_is_that_of_the_frequency_in_training(glue, name):
    path = files.find(glue, task(name), "train")["train"]
    frequency = Counter(row.label for row in reading.read_classes(path, task(name)))

    outputs = heads.output_of_label(("LABEL_0", "LABEL_1"), task(name), "fairseq")

    by_output = sorted(task(name).labels, key=lambda name_: outputs[task(name).labels.index(name_)])
    assert by_output == [label for label, _ in frequency.most_common()]
