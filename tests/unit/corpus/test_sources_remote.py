import io
import pickle
from pathlib import Path

import fsspec
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from fsspec.registry import _registry
from fsspec.spec import AbstractFileSystem

from unmask.core.errors import UserError
from unmask.core.locations import location
from unmask.corpus.config import CorpusConfig
from unmask.corpus.inputs import formats, sources
from unmask.corpus.inputs.slices import slices


class Store(AbstractFileSystem):
    """An object store in memory, as many a server: it lists, it opens, it has its own errors."""

    cachable = False
    contents: dict[str, bytes]
    facts: dict[str, object]
    fails: Exception | None = None

    def ls(self, path, detail=True, **options):
        if self.fails:
            raise self.fails
        found = {}
        for name, content in self.contents.items():
            if name == path:
                found[name] = {"name": name, "size": len(content), "type": "file", **self.facts}
            elif name.startswith(f"{path}/"):
                child = "/".join(name.split("/")[: path.count("/") + 2])
                kind, size = ("file", len(content)) if child == name else ("directory", 0)
                found[child] = {"name": child, "size": size, "type": kind, **self.facts}
        if not found:
            raise FileNotFoundError(path)
        return list(found.values()) if detail else list(found)

    def _open(self, path, mode="rb", **options):
        if self.fails:
            raise self.fails
        return io.BytesIO(self.contents[path])


@pytest.fixture
def store(monkeypatch):
    """A function that puts an object store with these contents behind a scheme."""

    def serve(scheme, contents, **facts):
        kind = type("Served", (Store,), {"protocol": scheme, "contents": contents, "facts": facts})
        monkeypatch.setitem(_registry, scheme, kind)
        return kind

    return serve


def found(*words, out="corpus"):
    return sources.find(words, out=location(out), scratch=Path())


def names(*words, out="corpus"):
    return [source.name for source in found(*words, out=out)]


def texts(*words):
    config = CorpusConfig(inputs=words, out=Path("corpus"))
    parts = slices(found(*words), config)
    return [text for part in parts for _, text in formats.texts(part, config, lambda count: None)]


def parquet(**columns):
    file = io.BytesIO()
    pq.write_table(pa.table(columns), file)
    return file.getvalue()


REMOTE = {
    "bucket/dir/b.txt": b"one\n\ntwo",
    "bucket/dir/a.jsonl": b'{"text": "three"}\n',
    "bucket/dir/sub/c.parquet": parquet(text=["four", "five"]),
    "bucket/dir/.hidden/d.txt": b"hidden",
    "bucket/dir/README.md": b"# Read",
    "bucket/dir2/e.txt": b"six",
}


def test_urls_are_found_like_paths(store, capsys):
    store("s3", REMOTE)

    below = ["s3://bucket/dir/a.jsonl", "s3://bucket/dir/b.txt", "s3://bucket/dir/sub/c.parquet"]
    assert names("s3://bucket/dir") == below
    assert capsys.readouterr().err == "s3://bucket/dir: 1 files of other kinds are left out\n"
    assert names("s3://bucket/dir/*.txt", "s3://bucket/dir/") == [below[1], below[0], below[2]]
    assert names("s3://bucket/**/*.txt") == [below[1], "s3://bucket/dir2/e.txt"]
    assert names("s3://bucket/dir2/e.txt") == ["s3://bucket/dir2/e.txt"]
    assert names("s3://bucket/dir", out="s3://bucket/dir/sub") == below[:2]
    assert [source.bytes for source in found("s3://bucket/dir/*.*")] == [18, 8]


def test_urls_are_read_like_paths(store):
    store("s3", REMOTE)

    assert texts("s3://bucket/dir") == ["three", "one\n", "two", "four", "five"]


def test_a_remote_source_comes_through_a_pickle():
    fsspec.filesystem("memory").pipe("/bucket/a.txt", b"text")

    (source,) = found("memory://bucket/a.txt")

    assert pickle.loads(pickle.dumps(source)) == source
    assert pickle.loads(pickle.dumps(source)).path.read_bytes() == b"text"


def test_whatever_a_server_raises_is_one_line(store):
    kind = store("s3", REMOTE)
    (source,) = found("s3://bucket/dir/b.txt")
    kind.fails = RuntimeError("Unable to locate credentials")

    said = r"cannot be reached \(RuntimeError: Unable to locate credentials\)"
    with pytest.raises(UserError, match=rf"s3://bucket/dir: {said}") as error:
        names("s3://bucket/dir")
    with pytest.raises(UserError, match=rf"s3://bucket/dir/b\.txt: {said}"):
        sources.identity(source)
    config = CorpusConfig(inputs=("x",), out=Path("x"))
    with pytest.raises(UserError, match=rf"s3://bucket/dir/b\.txt: {said}"):
        list(formats.texts(slices([source], config)[0], config, lambda count: None))

    assert "credentials" in error.value.hint


def test_a_connection_that_breaks_while_reading_is_no_damage(store, monkeypatch):
    store("s3", REMOTE)
    found_there = found("s3://bucket/dir/sub/c.parquet")

    def broken(self, buffer):
        raise OSError("connection reset")

    broken_file = type("BrokenFile", (io.BytesIO,), {"readinto": broken, "read": broken})
    monkeypatch.setattr(Store, "_open", lambda self, path, **options: broken_file(b"PAR1" * 9))
    config = CorpusConfig(inputs=("x",), out=Path("x"))

    with pytest.raises(UserError, match=r"cannot be reached \(OSError: connection reset\)"):
        list(formats.texts(slices(found_there, config)[0], config, lambda count: None))


@pytest.mark.parametrize(
    ("facts", "identity"),
    [
        ({"ETag": '"abc"', "LastModified": "today"}, '8 bytes, etag "abc"'),
        ({"md5Hash": "q+8="}, "8 bytes, md5hash q+8="),
        ({"blob_id": "12", "lfs": None}, "8 bytes, blob_id 12"),
        ({"blob_id": "12", "lfs": {"sha256": "f" * 64}}, "f" * 64),
        ({"mtime": 12.5}, "8 bytes, mtime 12.5"),
        ({}, "8 bytes"),
    ],
)
def test_a_remote_file_is_identified_by_what_its_server_says(store, facts, identity):
    store("s3", REMOTE, **facts)

    (source,) = found("s3://bucket/dir/b.txt")

    assert sources.identity(source) == identity


HUB = {
    "datasets/owner/name/.gitattributes": b"*",
    "datasets/owner/name/README.md": b"# Card",
    "datasets/owner/name/data/train-00000-of-00002.parquet": parquet(id=[1], text=["one"]),
    "datasets/owner/name/data/train-00001-of-00002.parquet": parquet(id=[2], text=["two"]),
    "datasets/owner/name@v1/more.jsonl": b'{"text": "three"}\n',
    "datasets/owner/images/a.png": b"",
}


def test_a_dataset_of_the_hub_is_read_by_its_name(store):
    store("hf", HUB)

    assert names("hf://datasets/owner/name") == [
        "hf://datasets/owner/name/data/train-00000-of-00002.parquet",
        "hf://datasets/owner/name/data/train-00001-of-00002.parquet",
    ]
    assert texts("hf://datasets/owner/name") == ["one", "two"]
    assert texts("hf://datasets/owner/name/data/*00001*") == ["two"]
    assert texts("hf://datasets/owner/name@v1") == ["three"]


def test_a_dataset_of_the_hub_that_is_missing_or_holds_no_text_is_an_error(store):
    store("hf", HUB)

    with pytest.raises(UserError, match="hf://datasets/owner/none: no such file or folder"):
        names("hf://datasets/owner/none")
    with pytest.raises(UserError, match="hf://datasets/owner/images: no file there that can be re"):
        names("hf://datasets/owner/images")


def test_a_dataset_folder_fetched_from_the_hub_is_read(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name, content in HUB.items():
        path = Path(name.removeprefix("datasets/owner/"))
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)

    assert texts("name") == ["one", "two"]
