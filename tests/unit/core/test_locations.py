from pathlib import Path

import pytest

from unmask.core import files, locations, manifests
from unmask.core.errors import UserError
from unmask.core.locations import location


@pytest.fixture
def memory():
    """An empty folder in fsspec's object store in memory."""
    place = location("memory://bucket/place")
    if place.exists():
        place.fs.rm(place.path, recursive=True)
    return place


def test_a_word_with_a_scheme_is_a_url_and_any_other_is_a_path():
    assert location("a/b") == Path("a/b")
    assert not locations.is_remote(location("a:b"))
    assert locations.is_remote(location("memory://a/b"))
    assert str(location("memory://a/b") / "c") == "memory://a/b/c"


def test_an_unknown_scheme_is_said():
    with pytest.raises(UserError, match="ftq://x/y: ") as caught:
        location("ftq://x/y")

    assert "s3://" in caught.value.hint


def test_a_file_in_a_store_is_whole_or_not_there(memory):
    with pytest.raises(ZeroDivisionError), files.atomic(memory / "a") as file:
        file.write(b"half")
        raise ZeroDivisionError

    assert not (memory / "a").exists()

    files.write_text(memory / "a", "whole")

    assert (memory / "a").read_text() == "whole"


def test_a_remote_file_is_fetched_once_and_again_when_it_changed(memory, tmp_path, monkeypatch):
    monkeypatch.setenv("UNMASK_CACHE", str(tmp_path))
    files.write_text(memory / "a", "one")
    first = locations.local(memory / "a")
    again = locations.local(memory / "a")

    files.write_text(memory / "a", "two")

    assert first == again
    assert first.read_text(encoding="utf-8") == "one"
    assert locations.local(memory / "a").read_text(encoding="utf-8") == "two"


@pytest.mark.parametrize(
    ("target", "base"),
    [
        ("memory://b/x/corpus", "memory://b/x/tokens"),
        ("memory://b/corpus", "/tmp/tokens"),
        ("/tmp/corpus", "memory://b/tokens"),
        ("/tmp/corpus", "/tmp/tokens"),
    ],
)
def test_a_link_leads_back_to_where_it_was_made(target, base):
    name = locations.link(location(target), location(base))

    found = locations.follow(location(base), name)

    assert str(found if locations.is_remote(found) else found.resolve()) == target


def test_an_artifact_can_be_built_in_a_store(memory):
    with manifests.building(memory / "out", resume="this") as folder:
        files.write_text(folder / "part", "text")
        files.write_text(folder / "work" / "done.json", "{}")
        manifests.write(folder, "corpus", {"x": 1}, [], {})

    manifest = manifests.read(memory / "out")

    assert [output.path for output in manifest.outputs] == ["part"]
    assert manifests.is_done(memory / "out", "corpus", {"x": 1}, [], force=False)


def test_what_was_finished_in_a_store_outlives_a_failure(memory):
    with pytest.raises(ZeroDivisionError), manifests.building(memory / "o", resume="a") as folder:
        files.write_text(folder / "part", "kept")
        raise ZeroDivisionError

    assert not manifests.is_done(memory / "o", "corpus", {}, [], force=False)
    with manifests.building(memory / "o", resume="a") as folder:
        assert (folder / "part").read_text() == "kept"
    with manifests.building(memory / "o2", resume="b") as folder:
        assert not (folder / "part").exists()
