"""What people get wrong: one clear line, a hint, exit code 2, and nothing earlier is lost."""

import json
import shutil

import pytest

pytestmark = pytest.mark.e2e


def complaint(line, *words, **more):
    """Run a command that must fail; give its error line and its hint."""
    done = line(*words, **more)
    assert done.returncode == 2, done.stderr
    assert "Traceback" not in done.stderr
    error, hint = done.stderr.splitlines()[-2:]
    assert error.startswith("error: ")
    assert hint.startswith("hint: ")
    return error, hint


def digests(line):
    """The contents of every artifact of the line."""
    return {
        path: path.read_bytes()
        for path in sorted(line.folder.glob("*/**/manifest.json"))
        if "checkpoints" not in path.parts
    }


@pytest.fixture(autouse=True)
def _nothing_is_lost(line):
    before = digests(line)
    yield
    after = digests(line)
    assert {path: after.get(path) for path in before} == before
    for folder in ("corpus", "tokens", "pretrain/model", "export"):
        line.good("lineage", folder)


def test_an_empty_corpus(line):
    (line.folder / "empty.txt").write_text("\n\n")

    error, _ = complaint(line, "corpus", "--inputs", "empty.txt", "--out", "nothing")

    assert "nothing is left of 0 documents read" in error
    assert not (line.folder / "nothing").exists()


def test_undecodable_bytes(line):
    (line.folder / "latin.txt").write_bytes("Fähre über den Fluß\n".encode("latin-1"))

    error, hint = complaint(line, "corpus", "--inputs", "latin.txt", "--out", "nothing")

    assert "latin.txt, line 1" in error
    assert "not valid utf-8" in error
    assert "--encoding" in hint


def test_a_missing_column(line):
    error, hint = complaint(
        line,
        *("evaluate", "--model", "finetune/model", "--data", "task/test.jsonl"),
        *("--columns.text", "sentence"),
    )

    assert "row 1: no column 'sentence'; there is 'text', 'label'" in error
    assert "--columns.text" in hint


def test_a_label_seen_only_in_dev(line):
    shutil.copytree(line.folder / "task", line.folder / "task-2", dirs_exist_ok=True)
    with (line.folder / "task-2" / "dev.jsonl").open("a") as file:
        file.write(json.dumps({"text": "The cat sees the dog.", "label": "air"}) + "\n")

    error, _ = complaint(
        line, "finetune", "--data", "task-2", "--model", "pretrain/model", "--out", "nothing"
    )

    assert "row 41: label 'air' does not occur in the training data" in error
    assert not (line.folder / "nothing").exists()


def test_a_truncated_shard(line):
    shutil.copytree(line.folder / "tokens", line.folder / "tokens-2", dirs_exist_ok=True)
    shard = line.folder / "tokens-2" / "train-00000.ids"
    shard.write_bytes(shard.read_bytes()[:-2])

    error, hint = complaint(line, "pretrain", "--tokens", "tokens-2", "--out", "nothing")

    assert "train-00000.ids: truncated" in error
    assert "unmask tokens again with --force" in hint
    shutil.rmtree(line.folder / "tokens-2")


def test_a_wrong_tokenizer_for_a_token_folder(line):
    line.good("tokenizer", "--corpus", "corpus", "--vocabulary", "290", "--out", "tokenizer-2")

    error, hint = complaint(
        line, "pretrain", "--tokens", "tokens", "--tokenizer", "tokenizer-2", "--out", "nothing"
    )

    assert "tokens: made with tokenizer" in error
    assert "--tokenizer tokenizer-2" in hint


def test_a_misspelt_flag_and_a_misspelt_recipe_key(line):
    (line.folder / "wrong.toml").write_text("[model]\nlayrs = 2\n")

    by_flag = complaint(line, "pretrain", "--tokens", "tokens", "--out", "x", "--stesp", "3")
    by_recipe = complaint(line, "pretrain", "--recipe", "wrong.toml")

    assert by_flag == (
        "error: unmask pretrain: unknown option --stesp",
        "hint: did you mean --steps?",
    )
    assert by_recipe == (
        "error: unmask pretrain: unknown option --model.layrs",
        "hint: did you mean --model.layers?",
    )


@pytest.mark.parametrize(
    "words",
    [
        ("corpus", "--inputs", "text.txt", "--out", "corpus", "--valid-fraction", "0.1"),
        ("tokens", "--corpus", "corpus", "--tokenizer", "tokenizer", "--out", "tokens"),
        (
            *("export", "--model", "finetune/model", "--data", "task/test.jsonl"),
            *("--out", "export"),
        ),
    ],
    ids=lambda words: words[0],
)
def test_a_full_disk_while_an_artifact_is_redone(line, words):
    """A limit on the size of files stands for the disk: writing beyond it fails the same way."""
    error, hint = complaint(line, *words, "--force", limit_bytes=8_192)

    assert "no space left" in error
    assert "free some space" in hint


def test_a_full_disk_while_training(line, shape):
    words = ("pretrain", "--tokens", "tokens", *shape, "--steps", "4", "--out", "full")

    error, _ = complaint(line, *words, limit_bytes=8_192)

    assert "no space left" in error
    line.good(*words)


def test_a_model_folder_that_is_none(line):
    error, hint = complaint(line, "predict", "--model", "pretrain", "--text", "a")

    assert "pretrain" in error
    assert "pretrain/model" in hint


def test_a_text_without_a_mask(line):
    error, hint = complaint(line, "predict", "--model", "pretrain/model", "--text", "The cat.")

    assert "no <mask>" in error
    assert "<mask>" in hint


def test_a_text_that_is_not_utf8(line):
    (line.folder / "latin.txt").write_bytes("The cat.\nFähre\n".encode("latin-1"))

    error, hint = complaint(line, "predict", "--model", "finetune/model", "--input", "latin.txt")

    assert "latin.txt: line 2 is not UTF-8" in error
    assert "UTF-8" in hint


def test_options_that_could_not_take_effect(line):
    model = ("predict", "--model", "finetune/model", "--text", "The cat.")

    candidates, _ = complaint(line, *model, "--top-k", "3")
    columns, _ = complaint(line, *model, "--pair-column", "two")

    assert "--top-k 3: finetune/model fills no masks" in candidates
    assert "columns are those of a table" in columns


def test_an_unknown_command(line):
    error, hint = complaint(line, "pretrian")

    assert error == "error: unknown command pretrian"
    assert "pretrain" in hint


def test_other_settings_for_a_result_that_is_there(line):
    error, hint = complaint(
        line, "corpus", "--inputs", "text.txt", "--out", "corpus", "--valid-fraction", "0.2"
    )

    assert "valid_fraction: 0.1 -> 0.2" in error
    assert "--force" in hint


def test_a_model_to_go_on_from_and_another_family(line):
    error, hint = complaint(
        line,
        *("pretrain", "--tokens", "tokens", "--init", "pretrain/model", "--out", "nothing"),
        *("--family", "bert", "--length", "32", "--steps", "4", "--warmup-steps", "0"),
    )

    assert "--family bert: pretrain/model is a roberta model" in error
    assert "leave out --family" in hint


def test_a_model_to_go_on_from_and_a_size_for_a_new_one(line, shape):
    error, hint = complaint(
        line,
        *("pretrain", "--tokens", "tokens", "--init", "pretrain/model", "--out", "nothing"),
        *(*shape, "--steps", "4"),
    )

    assert "--init pretrain/model brings its own size" in error
    assert "leave out one" in hint
