"""The whole line by the real command line, and what its artifacts are good for."""

import json
import shutil

import pytest
import transformers

pytestmark = pytest.mark.e2e


def rows(path):
    return [json.loads(text) for text in path.read_text().splitlines()]


def test_pretraining_learns_and_logs(line):
    metrics = rows(line.folder / "pretrain" / "metrics.jsonl")

    valid = [row for row in metrics if row["kind"] == "valid"]
    assert [row["step"] for row in valid] == [0, 10, 20]
    assert valid[-1]["loss"] < valid[0]["loss"]
    assert [row["step"] for row in metrics if row["kind"] == "train"] == [5, 10, 15, 20]


def test_finetuning_learns_and_keeps_the_best_epoch(line):
    logged = rows(line.folder / "finetune" / "metrics.jsonl")
    epochs = [row for row in logged if row["kind"] == "dev"]
    losses = [row["loss"] for row in logged if row["kind"] == "train"]
    manifest = json.loads((line.folder / "finetune" / "model" / "manifest.json").read_text())

    assert [row["epoch"] for row in epochs] == [1, 2, 3]
    assert losses[-1] < losses[0]
    best = max(row["accuracy"] for row in epochs)
    assert manifest["facts"]["dev_accuracy"] == best
    first = next(row["epoch"] for row in epochs if row["accuracy"] == best)
    assert manifest["facts"]["best_epoch"] == first


def test_transformers_reads_every_model_folder_whole(line):
    for kind, folder in (
        (transformers.AutoModelForMaskedLM, "pretrain/model"),
        (transformers.AutoModelForSequenceClassification, "finetune/model"),
    ):
        _, report = kind.from_pretrained(line.folder / folder, output_loading_info=True)

        assert not any(report[key] for key in ("missing_keys", "unexpected_keys"))
        assert not report["mismatched_keys"]


def test_predictions_equal_those_of_transformers(line):
    folder = str(line.folder / "finetune" / "model")
    text = "The cat sees the dog in the river."
    theirs = transformers.pipeline("text-classification", folder, top_k=None)([text])[0]

    ours = json.loads(line.good("predict", "--model", folder, "--text", text).stdout)

    assert ours["label"] == theirs[0]["label"]
    for item in theirs:
        assert ours["scores"][item["label"]] == pytest.approx(item["score"], abs=1e-5)


def test_filled_masks_equal_those_of_transformers(line):
    folder = str(line.folder / "pretrain" / "model")
    text = "The <mask> sees the <mask> in the river."
    theirs = transformers.pipeline("fill-mask", folder, top_k=3)(text)

    done = line.good("predict", "--model", folder, "--top-k", "3", "--text", text)
    ours = json.loads(done.stdout)

    assert len(ours["masks"]) == 2
    for our_mask, their_mask in zip(ours["masks"], theirs, strict=True):
        assert [item["id"] for item in our_mask] == [item["token"] for item in their_mask]
        for our_item, their_item in zip(our_mask, their_mask, strict=True):
            assert our_item["probability"] == pytest.approx(their_item["score"], abs=1e-5)


def test_texts_come_from_flags_a_file_or_stdin_and_answers_are_the_same(line):
    texts = ["The cat sees the dog in the river.", "The cow finds the hen in the field."]
    (line.folder / "texts.txt").write_text("\n".join(texts) + "\n")
    model = ("predict", "--model", "finetune/model")

    by_flag = line.good(*model, "--text", *texts).stdout
    by_file = line.good(*model, "--input", "texts.txt").stdout
    by_stdin = line.good(*model, stdin="\n".join(texts) + "\n").stdout

    assert by_flag == by_file == by_stdin
    assert [json.loads(answer)["text"] for answer in by_flag.splitlines()] == texts


def test_the_export_answers_as_the_model_does(line):
    table = ("--input", "task/test.jsonl")
    by_torch = line.good("predict", "--model", "finetune/model", *table).stdout
    by_onnx = line.good("predict", "--model", "export", *table).stdout

    pairs = list(zip(by_torch.splitlines(), by_onnx.splitlines(), strict=True))
    assert len(pairs) == 40
    for ours, exported in ((json.loads(left), json.loads(right)) for left, right in pairs):
        assert ours["label"] == exported["label"]
        assert ours["scores"] == pytest.approx(exported["scores"], abs=1e-4)


def test_the_contract_states_parity_speed_and_machine(line):
    contract = json.loads((line.folder / "export" / "contract.json").read_text())

    assert contract["parity"]["max_difference"] <= 1e-4
    assert contract["parity"]["same_argmax"] == 1.0
    assert contract["drop"] == 0
    assert set(contract["speeds"]) == {"torch fp32", "onnxruntime", "openvino fp32"}
    assert contract["machine"]["cores"] >= 1


def test_evaluation_prints_one_line_of_json(line):
    done = line.good("evaluate", "--model", "finetune/model", "--data", "task/test.jsonl")

    report = json.loads(done.stdout)
    assert report["examples"] == 40
    assert 0 <= report["accuracy"] <= 1
    assert len(report["data_sha256"]) == 64


def test_lineage_prints_the_chain_down_to_the_text(line):
    printed = line.good("lineage", "export").stdout

    stages = [text.split()[2] for text in printed.splitlines()]
    for stage in ("export", "finetune", "pretrain", "tokens", "corpus", "tokenizer", "source"):
        assert stage in stages
    assert str(line.folder / "text.txt") in printed
    assert all(text.startswith("ok") for text in printed.splitlines())


def test_a_finished_stage_says_so_and_does_nothing(line):
    before = (line.folder / "pretrain" / "model" / "manifest.json").read_bytes()

    again = line.good("pretrain", "--recipe", "pretrain/config.toml")

    assert "done already" in again.stderr
    assert (line.folder / "pretrain" / "model" / "manifest.json").read_bytes() == before


def test_a_recipe_repeats_a_run_to_the_bit(line):
    line.good("pretrain", "--recipe", "pretrain/config.toml", "--out", "repeated")

    weights = [
        line.folder / run / "model" / "model.safetensors" for run in ("pretrain", "repeated")
    ]
    assert weights[0].read_bytes() == weights[1].read_bytes()


def test_pretraining_goes_on_from_a_model_folder(line):
    done = line.good(
        *("pretrain", "--tokens", "tokens", "--init", "pretrain/model", "--out", "continued"),
        *("--length", "32", "--batch", "8", "--micro-batch", "8", "--steps", "2"),
        *("--warmup-steps", "0", "--optim.peak-lr", "1e-9", "--precision", "fp32"),
    )

    first = next(text for text in done.stderr.splitlines() if text.startswith("step 0:"))
    scores = [
        row for row in rows(line.folder / "pretrain" / "metrics.jsonl") if "perplexity" in row
    ]
    last = scores[-1]
    assert f"held-out loss {last['loss']:.3f}" in first
    assert "pretrain" in line.good("lineage", "continued/model").stdout


def test_artifacts_can_be_moved_together(line, tmp_path):
    shutil.copytree(line.folder, tmp_path / "moved")

    printed = line.good("lineage", tmp_path / "moved" / "export").stdout

    assert str(tmp_path / "moved" / "tokens") in printed


def test_help_is_there_for_every_command(line):
    from unmask.cli import COMMANDS

    for name in COMMANDS:
        assert "--help" in line.good(name, "--help").stdout


def test_pairs_are_trained_scored_and_answered(line):
    """The label says whether both sentences name the same place."""
    places = ("garden", "river", "market")
    table = ["one\ttwo\tsame"]
    for first in places:
        for second in places * 4:
            label = "yes" if first == second else "no"
            table.append(f"In the {first}.\tThe {second}.\t{label}")
    (line.folder / "pairs").mkdir()
    for split in ("train", "dev"):
        (line.folder / "pairs" / f"{split}.tsv").write_text("\n".join(table) + "\n")
    columns = ("--columns.text", "one", "--columns.pair", "two", "--columns.label", "same")
    line.good(
        *("finetune", "--data", "pairs", "--model", "pretrain/model", "--out", "pairs-run"),
        *(*columns, "--epochs", "2", "--batch", "8", "--precision", "fp32"),
    )
    model = ("--model", "pairs-run/model")

    scores = json.loads(line.good("evaluate", *model, "--data", "pairs/dev.tsv", *columns).stdout)
    answers = line.good(
        *("predict", *model, "--input", "pairs/dev.tsv"),
        *("--text-column", "one", "--pair-column", "two"),
    ).stdout

    assert scores["examples"] == 36
    first = json.loads(answers.splitlines()[0])
    assert first["pair"] == "The garden."
    theirs = transformers.pipeline("text-classification", str(line.folder / "pairs-run/model"))
    expected = theirs({"text": first["text"], "text_pair": first["pair"]})
    assert first["scores"][expected["label"]] == pytest.approx(expected["score"], abs=1e-5)
