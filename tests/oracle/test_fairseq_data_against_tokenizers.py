"""SST-2 and RTE as fairseq's preprocess_GLUE_tasks.sh writes them, against our own encoding."""

import csv
import functools
import gzip
import json

import pytest
from tests.fairseq_preprocess import preprocess

from unmask.finetune.fairseq_data import folder as folders
from unmask.finetune.fairseq_data import gpt2
from unmask.tokenizer import imports
from unmask.tokenizer.tokenizer import Tokenizer

NASTY = [
    "",
    "漢字 é 👩‍👩‍👧",
    "x" * 3000,
    "<s> </s> <mask> madeupword0000",
    "\u2028 \u00a0",
    "\x00\x7f",
]


def rows(path, text_columns, label):
    with gzip.open(path, "rt", encoding="utf-8", newline="") as file:
        table = list(csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE))
    return [[row[column] for column in text_columns] for row in table], [
        row[label] for row in table
    ]


@functools.cache
def roberta(shared_data):
    return imports.read(imports.find(shared_data / "bpe/roberta"))


@pytest.mark.parametrize(
    ("file", "columns"),
    [("glue/SST-2/dev.tsv.gz", ["sentence"]), ("glue/RTE/dev.tsv.gz", ["sentence1", "sentence2"])],
)
def test_ids_and_labels_are_those_of_our_own_encoding(shared_data, tmp_path, file, columns):
    texts, names = rows(shared_data / file, columns, "label")
    texts += [[text] * len(columns) for text in NASTY]
    names += [names[0]] * len(NASTY)
    source = shared_data / "bpe/gpt2_bpe"
    order = preprocess(source, tmp_path, {"train": (texts, names)})
    tokenizer = roberta(shared_data)

    found = folders.read_classes(tmp_path, "train", tokenizer, max_length=10_000)

    laid = found.sequences
    for number, row in enumerate(texts):
        first, *second = tokenizer.encode_lines([text.strip() for text in row])
        expected = [0, *first, 2, *(id_ for ids in second for id_ in (2, *ids, 2))]
        begin, end = laid.starts_N1[number : number + 2]
        assert laid.ids_T[begin:end].tolist() == expected
        if row[0] not in NASTY:
            pair = [row[1].strip()] if len(row) == 2 else None
            assert expected == tokenizer.encode([row[0].strip()], pair)[0].ids
    assert not laid.types_T.any()
    assert found.labels.names == tuple(order)
    assert [order[label] for label in found.labels.label_N] == names


def test_gpt2s_numbers_follow_from_its_merges(shared_data):
    encoder = json.loads((shared_data / "bpe/gpt2_bpe/encoder.json").read_bytes())

    assert gpt2.tokens(roberta(shared_data)) == {str(id_): token for token, id_ in encoder.items()}


def test_a_tokenizer_that_learnt_on_has_the_same_numbers_and_one_of_other_merges_has_none(
    shared_data,
):
    settings = json.loads(roberta(shared_data).json)
    merges = settings["model"]["merges"]
    settings["model"]["merges"] = [*merges, ["Ġthe", "Ġthe"]]
    settings["model"]["vocab"]["ĠtheĠthe"] = 50265
    learnt_on = Tokenizer(json.dumps(settings))

    assert gpt2.tokens(learnt_on) == gpt2.tokens(roberta(shared_data))

    settings["model"]["merges"] = [*merges[:7], merges[8], merges[7], *merges[9:]]
    assert gpt2.tokens(Tokenizer(json.dumps(settings))) is None
