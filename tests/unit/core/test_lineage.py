from pathlib import Path

import pytest

from unmask.core import lineage, manifests
from unmask.core.errors import UserError


@pytest.fixture
def model(tmp_path):
    """text.txt -> corpus -> model."""
    (tmp_path / "text.txt").write_text("hello")
    corpus, model = tmp_path / "corpus", tmp_path / "model"
    make(corpus, "corpus", manifests.file_inputs("source", [tmp_path / "text.txt"]))
    make(model, "pretrain", [manifests.artifact_input("corpus", corpus, model)])
    return model


def make(folder: Path, stage, inputs, content="x"):
    with manifests.building(folder) as beside:
        (beside / "file").write_text(content)
        manifests.write(beside, stage, {}, inputs, {"documents": 1200})


def printed(folder, capsys):
    try:
        lineage.run(lineage.LineageConfig(artifact=folder))
    finally:
        lines = capsys.readouterr().out.splitlines()
    return lines


def test_the_chain_is_printed_down_to_the_text(model, capsys):
    lines = printed(model, capsys)

    assert [line.split()[0] for line in lines] == ["ok", "ok", "ok"]
    assert lines[0].endswith(f"pretrain  {model}  (documents 1,200)")
    assert lines[1].endswith(f"  corpus  {model.parent / 'corpus'}  (documents 1,200)")
    assert lines[2].endswith(f"    source  {model.parent / 'text.txt'}")


def test_a_changed_source_is_named(model, capsys):
    (model.parent / "text.txt").write_text("hullo")

    with pytest.raises(UserError, match=r"1 link.*text\.txt is gone or has changed"):
        printed(model, capsys)


def test_a_rebuilt_artifact_in_the_middle_is_named(model, capsys):
    make(model.parent / "corpus", "corpus", [], content="other")

    with pytest.raises(UserError, match=r"model was made from another .*corpus"):
        printed(model, capsys)


def test_a_damaged_file_is_named(model, capsys):
    (model / "file").write_text("y")

    with pytest.raises(UserError, match=r"model/file is not what its manifest says"):
        printed(model, capsys)


def test_a_missing_artifact_is_named(model, capsys):
    (model.parent / "corpus").rename(model.parent / "elsewhere")

    with pytest.raises(UserError, match="which is gone"):
        printed(model, capsys)


def test_many_sources_are_counted_and_not_listed(tmp_path, capsys):
    paths = [tmp_path / f"{number}.txt" for number in range(30)]
    for path in paths:
        path.write_text(path.name)
    make(tmp_path / "corpus", "corpus", manifests.file_inputs("source", paths))
    paths[20].write_text("changed")

    with pytest.raises(UserError, match=r"20\.txt is gone or has changed"):
        lineage.run(lineage.LineageConfig(artifact=tmp_path / "corpus"))
    lines = capsys.readouterr().out.splitlines()

    assert len(lines) == 1 + 5 + 1 + 1
    assert lines[-1].endswith("source  and 24 more")


def test_what_is_reached_twice_is_shown_in_full_once(tmp_path, capsys):
    (tmp_path / "text.txt").write_text("hello")
    make(tmp_path / "corpus", "corpus", manifests.file_inputs("source", [tmp_path / "text.txt"]))
    corpus = manifests.artifact_input("corpus", tmp_path / "corpus", tmp_path / "tokenizer")
    make(tmp_path / "tokenizer", "tokenizer", [corpus])
    tokenizer = manifests.artifact_input("tokenizer", tmp_path / "tokenizer", tmp_path / "tokens")
    make(tmp_path / "tokens", "tokens", [corpus, tokenizer])

    lines = printed(tmp_path / "tokens", capsys)

    assert [line.split()[2] for line in lines] == [
        *("tokens", "corpus", "source", "tokenizer", "corpus"),
    ]
    assert lines[-1].endswith("(as above)")
