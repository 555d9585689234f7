import json
from pathlib import Path

import fsspec
import pyarrow as pa
import pytest

from unmask.core.errors import UserError
from unmask.core.locations import location
from unmask.corpus.config import CorpusConfig
from unmask.corpus.inputs import formats, sources
from unmask.corpus.inputs.slices import slices


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def found(*words, out="corpus"):
    return sources.find(words, out=location(out), scratch=Path())


def names(*words, out="corpus"):
    return [source.name for source in found(*words, out=out)]


def texts(*words):
    config = CorpusConfig(inputs=words, out=Path("corpus"))
    parts = slices(found(*words), config)
    return [text for part in parts for _, text in formats.texts(part, config, lambda count: None)]


def saved(folder, texts, *, shards=2):
    """A folder as `Dataset.save_to_disk` writes it, with a file that `map` left there later."""
    folder.mkdir(parents=True)
    listed = [f"data-{shard:05d}-of-{shards:05d}.arrow" for shard in range(shards)]
    for shard, name in enumerate(listed):
        _write_stream(folder / name, texts[shard::shards])
    _write_stream(folder / "cache-0123456789abcdef.arrow", ["cached"])
    state = {"_data_files": [{"filename": name} for name in listed], "_fingerprint": "0"}
    (folder / "state.json").write_text(json.dumps(state))
    (folder / "dataset_info.json").write_text('{"features": {}}')


def _write_stream(path, texts):
    table = pa.table({"n": list(range(len(texts))), "text": texts})
    with path.open("wb") as file, pa.ipc.new_stream(file, table.schema) as writer:
        writer.write_table(table)


def test_a_saved_dataset_is_read_without_what_was_cached_in_it(folder, capsys):
    saved(Path("saved"), ["a", "b", "c"])

    assert texts("saved") == ["a", "c", "b"]
    assert capsys.readouterr().err == ""


def test_of_a_saved_dataset_dict_train_is_read_unless_a_split_is_named(folder, capsys):
    for split in ("a", "train", "validation"):
        saved(Path("saved") / split, [split], shards=1)
    splits = ["train", "a", "validation"]
    Path("saved/dataset_dict.json").write_text(json.dumps({"splits": splits}))

    assert texts("saved") == ["train"]
    assert capsys.readouterr().err == (
        "saved: of this DatasetDict train is read; left out: a, validation\n"
    )
    assert texts("saved/validation") == ["validation"]


def test_a_saved_dataset_in_an_object_store_is_read(folder):
    saved(Path("saved/train"), ["a", "b"])
    Path("saved/dataset_dict.json").write_text('{"splits": ["train"]}')
    here = [path for path in Path("saved").rglob("*") if path.is_file()]
    memory = fsspec.filesystem("memory")
    memory.pipe({f"/bucket/{path.as_posix()}": path.read_bytes() for path in here})

    assert texts("memory://bucket/saved") == ["a", "b"]


def test_a_saved_dataset_that_is_not_all_there_is_an_error(folder):
    saved(Path("saved"), ["a", "b", "c"])
    Path("saved/data-00001-of-00002.arrow").unlink()
    saved(Path("dict/test"), ["a"])
    Path("dict/dataset_dict.json").write_text('{"splits": ["test"]}')
    saved(Path("broken"), ["a"])
    Path("broken/state.json").write_text("{")

    with pytest.raises(UserError, match=r"saved/data-00001-of-00002\.arrow: missing, though state"):
        names("saved")
    with pytest.raises(UserError, match="without the split train; it has test") as error:
        names("dict")
    assert "dict/test" in error.value.hint
    with pytest.raises(UserError, match=r"broken/state\.json: not valid JSON"):
        names("broken")


def test_the_columns_of_a_saved_dataset_are_named_if_the_text_is_not_among_them(folder):
    saved(Path("saved"), ["a"], shards=1)
    config = CorpusConfig(inputs=("saved",), out=Path("corpus"), text_column="body")

    with pytest.raises(UserError, match="no column body; there are n, text"):
        list(formats.texts(slices(found("saved"), config)[0], config, lambda count: None))


def test_a_state_of_another_kind_is_not_taken_for_a_saved_dataset(folder):
    Path("texts").mkdir()
    Path("texts/state.json").write_text("[1]")
    Path("texts/dataset_info.json").write_text("{}")
    Path("texts/a.txt").write_text("text")

    assert names("texts") == ["texts/a.txt"]
