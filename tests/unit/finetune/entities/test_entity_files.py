import bz2
import gzip
import json

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from unmask.core.errors import UserError
from unmask.finetune.data_config import EntitiesConfig
from unmask.finetune.entities import files, read

PLAIN = "EU B-ORG\nrejects O\n\nPeter B-PER\nBlackburn I-PER\n"
SENTENCES = [
    (("EU", "rejects"), ("B-ORG", "O")),
    (("Peter", "Blackburn"), ("B-PER", "I-PER")),
]
ROWS = [{"tokens": list(words), "tags": list(tags)} for words, tags in SENTENCES]
JSONL = "".join(json.dumps(row) + "\n" for row in ROWS)


def sentences(path, **settings):
    return [(item.words, item.tags) for item in read.read(path, EntitiesConfig(**settings))]


def refusal(path, **settings):
    with pytest.raises(UserError) as caught:
        read.read(path, EntitiesConfig(**settings))
    assert caught.value.what.startswith(str(path))
    return caught.value


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.txt", PLAIN.encode()),
        ("a", PLAIN.encode()),
        ("a.txt", PLAIN.rstrip().encode()),
        ("a.txt", ("\n\n" + PLAIN.replace("\n\n", "\n \t\n\n") + "\n\n").encode()),
        ("a.txt", b"\xef\xbb\xbf" + PLAIN.replace("\n", "\r\n").encode()),
        ("a.tsv", PLAIN.replace(" ", "\t").encode()),
        ("a.txt", PLAIN.replace(" ", "    ").replace("EU", " EU").encode()),
        ("a.txt", PLAIN.replace(" ", " \t ").replace("ORG", "ORG ").encode()),
        ("a.conll.gz", gzip.compress(PLAIN.encode(), mtime=0)),
        ("eng.testa.bz2", bz2.compress(PLAIN.encode())),
        ("a.jsonl", JSONL.encode()),
        ("a.jsonl.gz", gzip.compress(JSONL.encode(), mtime=0)),
    ],
)
def test_every_form_gives_the_same_sentences(tmp_path, name, content):
    (tmp_path / name).write_bytes(content)

    assert sentences(tmp_path / name) == SENTENCES


def test_parquet_holds_lists(tmp_path):
    pq.write_table(pa.Table.from_pylist(ROWS), tmp_path / "a.parquet")

    assert sentences(tmp_path / "a.parquet") == SENTENCES


def test_columns_are_chosen_by_number(tmp_path):
    (tmp_path / "a").write_text("0,B-ORG,NNP,EU\n1,O,VBZ,rejects\n")

    found = sentences(tmp_path / "a", separator=",", word=3, tag=1)

    assert found == SENTENCES[:1]


def test_documents_are_no_sentences_and_counted(tmp_path, said):
    start = "-DOCSTART- -X- O\n\n"
    tagged = PLAIN.replace(" ", " NN ")
    (tmp_path / "a").write_text(start + tagged + start + "-DOCSTART-\n" + tagged)

    assert sentences(tmp_path / "a") == SENTENCES * 2
    assert said == [
        f"{tmp_path}/a: 4 sentences, IOB2 tags, columns between blanks, 3 -DOCSTART- lines skipped"
    ]


def test_a_document_begins_in_a_file_of_tabs_too(tmp_path):
    (tmp_path / "a").write_text("-DOCSTART- -X- O\n\n" + PLAIN.replace(" ", "\t"))

    assert sentences(tmp_path / "a") == SENTENCES


def test_what_was_detected_is_said(tmp_path, said):
    (tmp_path / "a").write_text("Peter\tI-PER\nis\tO\n")

    assert sentences(tmp_path / "a") == [(("Peter", "is"), ("B-PER", "O"))]
    assert said[0].endswith("1 sentences, IOB1 tags, read as IOB2, columns between tabs")


def test_words_between_tabs_may_hold_spaces_and_other_white_space_never_ends_a_word(tmp_path):
    (tmp_path / "tabs").write_text("10 000\tO\n \tO\nNew York\tB-LOC\n")
    (tmp_path / "blanks").write_text("10\u00a0000 O\n\u3000 O\na\u2028b\u0085c\x0b O\n")

    assert sentences(tmp_path / "tabs")[0][0] == ("10 000", " ", "New York")
    assert sentences(tmp_path / "blanks")[0][0] == ("10\u00a0000", "\u3000", "a\u2028b\u0085c\x0b")


@pytest.mark.parametrize(
    ("content", "settings", "said"),
    [
        (b"", {}, ": has no sentences"),
        (b"\n \n-DOCSTART- O\n", {}, ": has no sentences"),
        (b"EU\nrejects\n", {}, ": line 1: 1 column between blanks, where a word and its tag"),
        (b"\nEU O\nrejects\n", {}, ": line 3: 1 columns where the first line has 2"),
        (b"New York B-LOC\nis here O x\n", {}, ": line 2: 4 columns where the first line has 3"),
        (b"a\tO\n\tO\n", {}, ": line 2: no word in column 0"),
        (b"a O\n", {"separator": ","}, ": line 1: 1 column between ','"),
        (b"a O\n", {"word": 2}, ": line 1: 2 columns between blanks, no column --entities.word 2"),
        (b"a O\n", {"tag": -1}, ": line 1: 2 columns between blanks, no column --entities.tag -1"),
        (b"a O\n", {"word": 1}, ": column 1 is both the word and the tag"),
        (b"a NN\n", {}, ": line 1: 'NN' is no tag"),
        (b"a O\nb B-\n", {}, ": line 2: 'B-' is no tag"),
        (b"a O\nb B\n", {}, ": line 2: 'B' is no tag"),
        (b"a O\nb X-PER\n", {}, ": line 2: 'X-PER' is no tag"),
        (b"a\tO\nb\t\n", {}, ": line 2: '' is no tag"),
        (b"a O\nb o\n", {}, ": line 2: 'o' is no tag"),
        (b"a O\n\xff O\n", {}, ": not UTF-8"),
    ],
)
def test_what_cannot_be_read_is_named_with_its_line(tmp_path, content, settings, said):
    (tmp_path / "a").write_bytes(content)

    assert said in refusal(tmp_path / "a", **settings).what


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ({"words": ["a"], "tags": ["O"]}, "row 1: no 'tokens'; there is 'words', 'tags'"),
        ({"tokens": ["a", "b"], "tags": ["O"]}, "row 1: 2 tokens, but 1 tags"),
        ({"tokens": ["a"], "tags": [0]}, "row 1: 0 among 'tags' is no text"),
        ({"tokens": ["a", ""], "tags": ["O", "O"]}, "row 1, token 2: no word"),
        ({"tokens": [], "tags": []}, "row 1: 'tokens' is no list"),
        ({"tokens": "a b", "tags": "O O"}, "row 1: 'tokens' is no list"),
        ({"tokens": ["a", "b"], "tags": ["O", "PER"]}, "row 1, token 2: 'PER' is no tag"),
    ],
)
def test_a_row_without_two_lists_is_refused(tmp_path, row, said):
    (tmp_path / "a.jsonl").write_text(json.dumps(row))

    assert said in refusal(tmp_path / "a.jsonl").what


def test_settings_of_columns_are_refused_where_there_are_lists(tmp_path):
    (tmp_path / "a.jsonl").write_text(JSONL)

    assert "--entities.tag 1: a row holds lists" in refusal(tmp_path / "a.jsonl", tag=1).what
    assert "--entities.separator ','" in refusal(tmp_path / "a.jsonl", separator=",").what


def test_files_that_are_damaged_or_not_there_are_refused(tmp_path):
    assert "no such file" in refusal(tmp_path / "none").what
    assert "a folder, not a file" in refusal(tmp_path).what
    (tmp_path / "a.gz").write_bytes(gzip.compress(PLAIN.encode())[:-9])
    assert "damaged" in refusal(tmp_path / "a.gz").what
    (tmp_path / "a.jsonl").write_text("")
    assert "has no sentences" in refusal(tmp_path / "a.jsonl").what


@pytest.mark.parametrize(
    ("split", "names"),
    [
        ("train", ["eng.train", "example.train.gz", "train.txt", "train.jsonl.zst"]),
        ("dev", ["eng.testa.gz", "example.dev", "dev.conll", "valid.txt", "validation.parquet"]),
        ("test", ["eng.testb", "example.test", "test.bio.xz"]),
        ("extra", ["extra.tsv"]),
    ],
)
def test_the_file_of_a_split_is_found_by_official_and_plain_names(tmp_path, split, names):
    for name in names:
        folder = tmp_path / name.replace(".", "-")
        folder.mkdir()
        (folder / name).touch()
        assert files.find(folder, split) == folder / name


def test_a_folder_without_the_split_is_refused(tmp_path):
    (tmp_path / "eng.train").touch()

    with pytest.raises(UserError, match=r"has no dev\.\* and no valid\.\*"):
        files.find(tmp_path, "dev")


def test_the_only_file_of_another_name_that_holds_the_split_is_taken(tmp_path):
    (tmp_path / "corpus_train_part.txt.gz").touch()
    (tmp_path / "example.dev").touch()

    assert files.find(tmp_path, "train").name == "corpus_train_part.txt.gz"
    (tmp_path / "more_train.txt").touch()
    with pytest.raises(UserError, match=r"has no train\.\*"):
        files.find(tmp_path, "train")
