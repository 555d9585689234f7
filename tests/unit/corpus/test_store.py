import pyarrow.parquet as pq
import pytest

from unmask.core import manifests
from unmask.core.errors import UserError
from unmask.corpus import store
from unmask.corpus.store import Document, PartWriter

DOCUMENTS = [Document(f"{number:016x}", f"text {number}\nline", "a.txt") for number in range(1000)]


@pytest.fixture
def corpus(tmp_path, monkeypatch):
    monkeypatch.setattr(store, "PART_CHARACTERS", 5000)
    with PartWriter(tmp_path, "train") as writer:
        for document in DOCUMENTS:
            writer.add(document)
    counts = {"documents": 1000, "characters": sum(len(d.text) for d in DOCUMENTS)}
    facts = {"train": counts, "valid": {"documents": 0, "characters": 0}}
    manifests.write(tmp_path, "corpus", {}, [], facts)
    return tmp_path


def test_documents_come_back_in_order_from_several_parts(corpus):
    parts = sorted(path.name for path in corpus.glob("*.parquet"))

    assert parts == ["train-0000.parquet", "train-0001.parquet", "train-0002.parquet"]
    assert list(store.documents(corpus, "train")) == DOCUMENTS
    assert list(store.documents(corpus, "valid")) == []


def test_counts_come_from_the_manifest(corpus):
    assert store.count(corpus, "train") == 1000
    assert store.characters(corpus, "train") == sum(len(d.text) for d in DOCUMENTS)
    assert store.count(corpus, "valid") == 0


def test_parts_are_plain_parquet_with_three_string_columns(corpus):
    file = pq.ParquetFile(corpus / "train-0000.parquet")

    assert file.schema_arrow.names == ["id", "text", "source"]
    assert file.metadata.row_group(0).column(1).compression == "ZSTD"


def test_a_part_ends_with_the_document_that_fills_it(corpus):
    texts = pq.read_table(corpus / "train-0000.parquet")["text"].to_pylist()

    assert sum(map(len, texts)) >= 5000 > sum(map(len, texts[:-1]))


def test_a_part_holds_no_more_documents_than_may_be_in_memory_at_once(tmp_path, monkeypatch):
    monkeypatch.setattr(store, "PART_DOCUMENTS", 300)
    with PartWriter(tmp_path, "train") as writer:
        ended = [number for number, document in enumerate(DOCUMENTS) if writer.add(document)]

    counts = [pq.read_metadata(path).num_rows for path in sorted(tmp_path.iterdir())]
    assert counts == [300, 300, 300, 100]
    assert ended == [299, 599, 899]


def test_a_part_that_fails_leaves_no_file(tmp_path):
    with pytest.raises(ZeroDivisionError), PartWriter(tmp_path, "train") as writer:
        for document in DOCUMENTS:
            writer.add(document)
        raise ZeroDivisionError

    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("harm", ["cut", "gone"])
def test_a_part_of_another_size_is_an_error_before_anything_is_read(corpus, harm):
    part = corpus / "train-0001.parquet"
    content = part.read_bytes()
    part.unlink()
    if harm == "cut":
        part.write_bytes(content[:-1])

    with pytest.raises(UserError, match=r"train-0001\.parquet: damaged") as error:
        store.documents(corpus, "train")

    assert error.value.hint == "run unmask corpus again with --force"


def test_a_flipped_bit_is_an_error_and_not_another_text(corpus):
    part = corpus / "train-0000.parquet"
    whole = part.read_bytes()
    column = pq.ParquetFile(part).metadata.row_group(0).column(1)
    end = column.data_page_offset + column.total_compressed_size

    for position in range(end - 250, end, 5):
        content = bytearray(whole)
        content[position] ^= 1
        part.write_bytes(content)
        with pytest.raises(UserError, match=r"train-0000\.parquet: damaged"):
            list(store.documents(corpus, "train"))


def test_another_stage_s_folder_is_no_corpus(tmp_path):
    manifests.write(tmp_path, "tokens", {}, [], {})

    with pytest.raises(UserError, match="was written by unmask tokens and is no corpus"):
        store.documents(tmp_path, "train")
