import errno

import pytest

from unmask.core import files


def test_a_file_appears_whole_or_not_at_all(tmp_path):
    path = tmp_path / "a.txt"
    files.write_text(path, "before")

    with pytest.raises(OSError, match="full"), files.atomic(path) as file:
        file.write(b"half")
        raise OSError(errno.ENOSPC, "full")

    assert path.read_text() == "before"
    assert [item.name for item in tmp_path.iterdir()] == ["a.txt"]


def test_sha256_is_that_of_the_bytes(tmp_path):
    (tmp_path / "abc").write_bytes(b"abc")

    assert files.sha256(tmp_path / "abc") == (
        "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    )


def test_json_keeps_every_script(tmp_path):
    files.write_json(tmp_path / "a.json", {"text": "漢字 ñ"})

    assert "漢字 ñ" in (tmp_path / "a.json").read_text(encoding="utf-8")
    assert files.read_json(tmp_path / "a.json") == {"text": "漢字 ñ"}
