import json

import pytest

from unmask.core import manifests
from unmask.core.errors import UserError


def make(folder, content="text", inputs=(), config=None, stage="stage"):
    with manifests.building(folder) as beside:
        (beside / "data").mkdir()
        (beside / "data" / "a.txt").write_text(content)
        manifests.write(beside, stage, config or {"size": 1}, list(inputs), {"count": 3})
    return manifests.read(folder)


def is_done(folder, inputs=(), config=None, *, force=False):
    return manifests.is_done(folder, "stage", config or {"size": 1}, list(inputs), force=force)


def test_equal_contents_have_equal_digests_wherever_they_were_made(tmp_path):
    one, two, other = (make(tmp_path / name, text) for name, text in ("ax", "bx", "cy"))

    assert one.digest == two.digest != other.digest


def test_a_result_is_done_only_if_config_inputs_and_hashes_match(tmp_path, capsys):
    source = tmp_path / "source.txt"
    source.write_text("one")
    inputs = manifests.file_inputs("source", [source])
    out = tmp_path / "out"
    assert not is_done(out, inputs)
    make(out, inputs=inputs)

    assert is_done(out, inputs)
    assert "done already" in capsys.readouterr().err
    assert not is_done(out, inputs, force=True)

    with pytest.raises(UserError, match=r"another result \(size: 1 -> 2\)") as caught:
        is_done(out, inputs, {"size": 2})
    assert "--force" in caught.value.hint

    source.write_text("two")
    with pytest.raises(UserError, match=r"the source .*source\.txt is another"):
        is_done(out, manifests.file_inputs("source", [source]))


def test_a_damaged_result_is_made_again(tmp_path, capsys):
    make(tmp_path / "out")
    (tmp_path / "out" / "data" / "a.txt").write_text("tex")

    assert not is_done(tmp_path / "out")
    assert "data/a.txt is damaged" in capsys.readouterr().err


def test_a_folder_that_is_no_artifact_is_never_replaced(tmp_path):
    (tmp_path / "thesis.tex").write_text("years of work")

    with pytest.raises(UserError, match="is no artifact of unmask"):
        is_done(tmp_path)
    with pytest.raises(UserError, match="is no artifact of unmask"), manifests.building(tmp_path):
        pass

    assert (tmp_path / "thesis.tex").read_text() == "years of work"


@pytest.mark.parametrize("error", [OSError(28, "full"), KeyboardInterrupt()])
def test_a_failed_stage_leaves_the_earlier_artifact_whole(tmp_path, error):
    before = make(tmp_path / "out")

    with pytest.raises(type(error)), manifests.building(tmp_path / "out") as beside:
        (beside / "a.txt").write_text("half")
        raise error

    assert manifests.read(tmp_path / "out") == before
    assert not manifests.damaged(tmp_path / "out", before)
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


def test_links_between_artifacts_survive_a_move(tmp_path):
    make(tmp_path / "a" / "first")
    link = manifests.artifact_input("first", tmp_path / "a" / "first", tmp_path / "a" / "second")
    make(tmp_path / "a" / "second", inputs=[link])

    (tmp_path / "a").rename(tmp_path / "b")

    assert (
        manifests.linked(tmp_path / "b" / "second", "first").resolve() == tmp_path / "b" / "first"
    )


@pytest.mark.parametrize(
    ("content", "said"),
    [("{", "damaged"), ("[]", "damaged"), ('{"format": 99}', "format 99"), ("{}", "damaged")],
)
def test_a_manifest_that_cannot_be_read_is_said(tmp_path, content, said):
    (tmp_path / "manifest.json").write_text(content)

    with pytest.raises(UserError, match=said):
        manifests.read(tmp_path)


def test_a_folder_without_manifest_is_told_from_no_folder(tmp_path):
    with pytest.raises(UserError, match=r"holds no manifest\.json"):
        manifests.read(tmp_path)
    with pytest.raises(UserError, match="no such folder"):
        manifests.read(tmp_path / "nowhere")


def test_a_manifest_says_who_made_it(tmp_path):
    make(tmp_path / "out")

    table = json.loads((tmp_path / "out" / "manifest.json").read_text())

    assert table["format"] == 1
    assert table["outputs"][0]["path"] == "data/a.txt"
    assert "python" in table["machine"]["versions"]


def test_what_a_killed_stage_left_behind_does_not_get_into_the_next(tmp_path):
    (tmp_path / ".out.building").mkdir()
    (tmp_path / ".out.building" / "half").write_text("from a killed process")

    manifest = make(tmp_path / "out")

    assert [output.path for output in manifest.outputs] == ["data/a.txt"]
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


def test_only_the_same_work_finds_what_a_stopped_run_had_finished(tmp_path):
    with (
        pytest.raises(ZeroDivisionError),
        manifests.building(tmp_path / "a", resume="one") as folder,
    ):
        (folder / "shard").write_text("kept", encoding="utf-8")
        raise ZeroDivisionError

    assert not (tmp_path / "a").exists()
    with (
        pytest.raises(ZeroDivisionError),
        manifests.building(tmp_path / "a", resume="one") as folder,
    ):
        assert (folder / "shard").read_text(encoding="utf-8") == "kept"
        raise ZeroDivisionError
    with manifests.building(tmp_path / "a", resume="two") as folder:
        assert not (folder / "shard").exists()
