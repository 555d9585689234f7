"""Model folder to fairseq and back: what comes out, and what is refused."""

import dataclasses
import json
from pathlib import Path

import pytest
import torch

from unmask.core import manifests
from unmask.core.errors import UserError
from unmask.model import pickles, weights
from unmask.model.heads import MaskedLM, SequenceClassifier, TokenClassifier
from unmask.tokenizer.tokenizer import Tokenizer

KINDS = ["lm", "two", "three", "score", "choice"]
NAMES = ("config.json", "model.safetensors", "tokenizer.json", "vocab.json", "merges.txt")


def checkpoint(folder):
    return torch.load(folder / "model.pt", weights_only=False)


def change(folder, edit):
    """Edit a checkpoint in its place."""
    held = checkpoint(folder)
    edit(held)
    torch.save(held, folder / "model.pt")


def refusal(call, *words, **options):
    with pytest.raises(UserError) as caught:
        call(*words, **options)
    return f"{caught.value.what} | {caught.value.hint}"


@pytest.mark.parametrize("kind", KINDS)
def test_there_and_back_gives_the_same_files(kind, made, folder, convert):
    start = folder(made[kind])

    back = convert(convert(start, "fairseq"), "back")

    for name in NAMES:
        assert (back / name).read_bytes() == (start / name).read_bytes(), name


@pytest.mark.parametrize("kind", KINDS)
def test_there_and_back_again_gives_the_same_checkpoint(kind, made, folder, convert):
    first = convert(folder(made[kind]), "first")

    second = convert(convert(first, "back"), "second")

    assert vars(checkpoint(first)["args"]) == vars(checkpoint(second)["args"])
    before, after = checkpoint(first)["model"], checkpoint(second)["model"]
    assert list(before) == list(after)
    assert all(torch.equal(before[name], after[name]) for name in before)
    for name in ("dict.txt", "encoder.json", "vocab.bpe"):
        assert (first / name).read_bytes() == (second / name).read_bytes()


def test_a_row_of_token_types_goes_into_the_positions(made, folder, convert, capsys):
    model = made["lm"]
    torch.nn.init.normal_(model.encoder.embedding.token_type.weight)
    ids_BL = torch.tensor([[0, 9, 8, 7, 2], [0, 5, 2, 1, 1]])

    back = convert(convert(folder(model), "fairseq"), "back")

    assert "the row of token types" in capsys.readouterr().err
    found = weights.load(back, MaskedLM).eval()
    assert not found.encoder.embedding.token_type.weight.any()
    real_BL = ids_BL != 1
    torch.testing.assert_close(
        found(ids_BL, real_BL)[real_BL], model(ids_BL, real_BL)[real_BL], rtol=0, atol=1e-5
    )
    pad = model.encoder.embedding.position.weight[1]
    assert torch.equal(found.encoder.embedding.position.weight[1], pad)


def test_dropout_comes_along(made, folder, convert, small):
    changed = {"dropout": 0.3, "attention_dropout": 0.2, "classifier_dropout": 0.0}
    model = SequenceClassifier(dataclasses.replace(small, **changed), ("no", "yes"))

    fairseq = convert(folder(model), "fairseq")

    args = checkpoint(fairseq)["args"]
    assert (args.dropout, args.attention_dropout, args.pooler_dropout) == (0.3, 0.2, 0.0)
    assert weights.read_config(convert(fairseq, "back")) == model.config


def test_the_manifest_names_what_it_was_made_from(made, folder, convert):
    start = folder(made["two"])
    fairseq = convert(start, "fairseq")
    back = convert(fairseq, "back")

    assert {item.role for item in manifests.read(fairseq).inputs} == {"model"}
    inputs = manifests.read(back).inputs
    assert [(item.role, item.kind) for item in inputs] == [("checkpoint", "artifact")]
    assert manifests.read(back).facts["head"] == "sentence_classification_head"
    assert "AutoModelForSequenceClassification" in (back / "README.md").read_text()
    assert "Classes in order: no, yes." in (back / "README.md").read_text()
    assert "all zeros" in (fairseq / "README.md").read_text()


def test_the_manifest_names_files_that_no_stage_has_written(made, folder, convert, tmp_path):
    fairseq = convert(folder(made["two"]), "fairseq")
    (fairseq / "manifest.json").unlink()

    inputs = manifests.read(convert(fairseq, "back")).inputs

    assert {item.kind for item in inputs} == {"file"}
    assert sorted(Path(item.path).relative_to(fairseq).as_posix() for item in inputs) == [
        *("dict.txt", "encoder.json", "label/dict.txt", "model.pt", "vocab.bpe")
    ]


def test_a_tokenizer_from_elsewhere_is_named_too(made, folder, convert):
    start = folder(made["two"])
    fairseq = convert(start, "fairseq")

    inputs = manifests.read(convert(fairseq, "back", tokenizer=start)).inputs

    assert [(item.role, item.kind, Path(item.path).name) for item in inputs] == [
        ("checkpoint", "artifact", "fairseq"),
        ("companion", "file", "tokenizer.json"),
        ("companion", "file", "tokenizer_config.json"),
    ]


def test_what_is_done_is_not_done_again(made, folder, convert, capsys):
    start = folder(made["two"])
    convert(start, "fairseq")

    convert(start, "fairseq")

    assert "done already" in capsys.readouterr().err


def test_another_head_name_is_another_result(made, folder, convert):
    start = folder(made["two"])
    convert(start, "fairseq")

    assert "holds another result (head: None -> rte)" in refusal(
        convert, start, "fairseq", head="rte"
    )


def test_a_file_that_was_damaged_is_said(convert, tmp_path):
    (tmp_path / "model.pt").write_bytes(b"no pickle")
    (tmp_path / "dict.txt").write_text("0 1\n")
    (tmp_path / "encoder.json").write_text("{}")
    (tmp_path / "vocab.bpe").write_text("")

    assert "cannot be read as a torch checkpoint" in refusal(convert, tmp_path / "model.pt", "back")


@pytest.mark.parametrize("given", ["nowhere", "nowhere.pt"])
def test_a_place_that_is_not_there(given, convert, tmp_path):
    assert f"{given}: no such file or folder" in refusal(convert, tmp_path / given, "back")


def test_a_folder_of_both_kinds_is_asked_about(made, folder, convert):
    start = folder(made["lm"])
    (start / "model.pt").touch()

    assert "holds model.pt and config.json" in refusal(convert, start, "out")


def test_a_run_is_no_model(made, folder, convert, tmp_path):
    folder(made["lm"], "run/model")

    assert "is a run, not a model" in refusal(convert, tmp_path / "run", "out")


@pytest.mark.parametrize("flag", ["tokenizer", "labels"])
def test_flags_of_the_other_direction_are_refused(flag, made, folder, convert, tmp_path):
    value = tmp_path if flag == "tokenizer" else ("no", "yes")

    said = refusal(convert, folder(made["two"]), "out", **{flag: value})

    assert f"--{flag} does not go with the model folder" in said


def test_the_head_of_a_language_model_cannot_be_named(made, folder, convert):
    assert "whose head fairseq calls lm_head" in refusal(
        convert, folder(made["lm"]), "out", head="mnli"
    )


def test_no_classification_head_is_called_lm_head(made, folder, convert):
    assert "--head lm_head: is the" in refusal(convert, folder(made["two"]), "out", head="lm_head")


def test_labels_do_not_go_with_what_has_no_classes(made, folder, convert):
    fairseq = convert(folder(made["choice"]), "fairseq")

    assert "has no classes" in refusal(convert, fairseq, "back", labels=("a",))


def test_a_kind_that_fairseq_has_not_is_refused(small, folder, convert):
    assert "holds a TokenClassifier" in refusal(
        convert, folder(TokenClassifier(small, ("O", "B"))), "out"
    )


def test_several_labels_of_one_text_are_refused(small, folder, convert):
    model = SequenceClassifier(small, ("a", "b"), "multi_label_classification")

    assert "tells several labels of one text" in refusal(convert, folder(model), "out")


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("layer_norm_eps", 1e-12, "its norm_eps is 1e-12"),
        ("bos_token_id", None, "its bos_id is None"),
        ("eos_token_id", 3, "its eos_id is 3"),
    ],
)
def test_sizes_that_fairseq_cannot_set_are_refused(name, value, said, made, folder, convert):
    start = folder(made["lm"])
    table = json.loads((start / "config.json").read_text()) | {name: value}
    (start / "config.json").write_text(json.dumps(table))

    assert said in refusal(convert, start, "out")


def test_bert_is_refused(made, folder, convert, small):
    bert = dataclasses.replace(small, family="bert", types=2, norm_eps=1e-12)

    assert "is a bert model" in refusal(convert, folder(MaskedLM(bert)), "out")


def test_numbers_of_several_outputs_stay_numbers(small, folder, convert):
    model = SequenceClassifier(small, ("joy", "anger"), "regression")

    back = convert(convert(folder(model), "fairseq"), "back")

    assert weights.problem_of(back) == "regression"
    assert weights.labels_of(back) == ("joy", "anger")


def test_the_vocabulary_must_be_that_of_the_weights(made, folder, convert):
    fairseq = convert(folder(made["lm"]), "fairseq")

    def shorten(held):
        for name in [*held["model"]]:
            if name.endswith(("embed_tokens.weight", "lm_head.weight", "lm_head.bias")):
                held["model"][name] = held["model"][name][:-2].clone()

    change(fairseq, shorten)

    assert "its embedding has 264 rows, the vocabulary 266 ids" in refusal(convert, fairseq, "back")


def test_rows_without_a_token_become_made_up_words(made, folder, convert, small):
    padded = MaskedLM(dataclasses.replace(small, vocabulary=small.vocabulary + 6))
    fairseq = convert(folder(padded), "fairseq")

    lines = (fairseq / "dict.txt").read_text().splitlines()

    assert lines[-7:-5] == ["<mask> 1", "madeupword0000 0"]
    assert len(lines) == padded.config.vocabulary - 4
    back = convert(fairseq, "back")
    assert Tokenizer.load(back).mask_id == small.vocabulary - 1
    assert Tokenizer.load(back).vocabulary == padded.config.vocabulary


def test_a_written_checkpoint_is_read_without_running_it(made, folder, convert):
    path = convert(folder(made["lm"]), "fairseq") / "model.pt"

    held = pickles.load(path)

    assert isinstance(held["args"], pickles.Inert)
    assert pickles.recorded(held["args"], "encoder_attention_heads") == 4
