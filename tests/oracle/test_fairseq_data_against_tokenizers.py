"""SST-2 and RTE as fairseq's preprocess_GLUE_tasks.sh writes them, against our own encoding.

What fairseq-preprocess does is written here from its description: GPT-2's ids of each line by
`encoder.json` and `vocab.bpe` (tokenizers), their numbers by `dict.txt`, `</s>` at the end; labels
by their frequency in train, with a dictionary filled up to eight.
"""

import collections
import csv
import functools
import gzip
import io
import json
import struct

import numpy as np
import pytest
from tokenizers import ByteLevelBPETokenizer

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


def write(stem, items):
    index, data, address = io.BytesIO(), io.BytesIO(), []
    for item in items:
        address.append(data.tell())
        data.write(np.array(item, "<u2").tobytes())
    index.write(b"MMIDIDX\x00\x00" + struct.pack("<QBQ", 1, 8, len(items)))
    index.write(struct.pack(f"<{len(items)}i", *map(len, items)))
    index.write(struct.pack(f"<{len(items)}q", *address))
    stem.with_suffix(".idx").write_bytes(index.getvalue())
    stem.with_suffix(".bin").write_bytes(data.getvalue())


@functools.cache
def roberta(shared_data):
    return imports.read(imports.find(shared_data / "bpe/roberta"))


def preprocess(shared_data, out, texts, names):
    """Write one split, `train`, as fairseq does; the names of the classes in its order."""
    source = shared_data / "bpe/gpt2_bpe"
    bpe = ByteLevelBPETokenizer(str(source / "encoder.json"), str(source / "vocab.bpe"))
    lines = (source / "dict.txt").read_text(encoding="utf-8").splitlines()
    number = {line.split()[0]: 4 + row for row, line in enumerate(lines)}
    for place, column in enumerate(zip(*texts, strict=True)):
        (out / f"input{place}").mkdir()
        (out / f"input{place}" / "dict.txt").write_text("\n".join(lines) + "\n")
        encoded = bpe.encode_batch([text.strip() for text in column])
        write(
            out / f"input{place}" / "train",
            [[*(number[str(id_)] for id_ in encoding.ids), 2] for encoding in encoded],
        )
    counted = collections.Counter(names).most_common()
    (out / "label").mkdir()
    filled = [f"{name} {count}" for name, count in counted]
    filled += [f"madeupword{n:04} 0" for n in range(-(len(filled) + 4) % 8)]
    (out / "label" / "dict.txt").write_text("\n".join(filled) + "\n")
    order = [name for name, _ in counted]
    write(out / "label" / "train", [[4 + order.index(name), 2] for name in names])
    return order


@pytest.mark.parametrize(
    ("file", "columns"),
    [("glue/SST-2/dev.tsv.gz", ["sentence"]), ("glue/RTE/dev.tsv.gz", ["sentence1", "sentence2"])],
)
def test_ids_and_labels_are_those_of_our_own_encoding(shared_data, tmp_path, file, columns):
    texts, names = rows(shared_data / file, columns, "label")
    texts += [[text] * len(columns) for text in NASTY]
    names += [names[0]] * len(NASTY)
    order = preprocess(shared_data, tmp_path, texts, names)
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
