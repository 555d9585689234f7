"""Model folders: what is read, what is tolerated and what is refused."""

import dataclasses
import json

import pytest
import safetensors.torch
import torch

from unmask.core.errors import UserError
from unmask.model import weights
from unmask.model.heads import (
    MaskedLM,
    MultipleChoice,
    Pretraining,
    SequenceClassifier,
    TokenClassifier,
)
from unmask.model.init import initialise
from unmask.model.presets import BERT, ROBERTA

SMALL = {"vocabulary": 40, "layers": 1, "width": 16, "heads": 2, "feed_forward": 24}
CONFIG = dataclasses.replace(ROBERTA["tiny"], **SMALL, max_length=10)
LABELS = ("good", "bad", "so-so")


@pytest.fixture
def folder(tmp_path):
    """A folder with a masked language model."""
    model = MaskedLM(CONFIG)
    initialise(model, seed=1)
    weights.save(model, tmp_path / "model")
    return tmp_path / "model"


def change_tensors(folder, change):
    path = folder / "model.safetensors"
    theirs = safetensors.torch.load(path.read_bytes())
    change(theirs)
    path.write_bytes(safetensors.torch.save(theirs, metadata={"format": "pt"}))


def change_config(folder, **changes):
    table = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps(table | changes))


def refusal(call, *arguments):
    with pytest.raises(UserError) as caught:
        call(*arguments)
    return caught.value


@pytest.mark.parametrize("kind", [SequenceClassifier, TokenClassifier])
def test_a_saved_model_comes_back_with_its_labels(kind, tmp_path):
    model = kind(CONFIG, tuple(f"label {number}" for number in range(12)))
    initialise(model, seed=0)

    weights.save(model, tmp_path)
    back = weights.load(tmp_path, kind)

    assert back.labels == weights.labels_of(tmp_path) == model.labels
    assert back.config == CONFIG
    assert all(torch.equal(back.state_dict()[k], x) for k, x in model.state_dict().items())
    assert all(parameter.requires_grad for parameter in back.parameters())


def test_a_loaded_model_does_not_hang_on_its_file(folder):
    model = weights.load(folder, MaskedLM)
    before = model.dense.weight.clone()

    change_tensors(folder, lambda theirs: theirs["lm_head.dense.weight"].zero_())

    assert torch.equal(model.dense.weight, before)


def test_missing_unexpected_and_misshaped_tensors_are_named(folder):
    def spoil(theirs):
        del theirs["lm_head.bias"]
        theirs["lm_head.dense.bias"] = torch.zeros(3)
        theirs["adapter.weight"] = torch.zeros(2, 5)

    change_tensors(folder, spoil)
    error = refusal(weights.load, folder, MaskedLM)

    assert "does not hold a MaskedLM of the sizes in its config.json" in error.what
    assert "lm_head.bias 40 is missing" in error.what
    assert "lm_head.dense.bias is 3, expected 16" in error.what
    assert "adapter.weight 2x5 is unexpected" in error.what


def test_another_class_than_the_folder_holds_is_refused(folder):
    error = refusal(weights.load, folder, SequenceClassifier)

    assert "classifier.dense.weight 16x16 is missing" in error.what
    assert "RobertaForMaskedLM" in error.hint


def test_leftovers_that_transformers_ignores_are_ignored(folder):
    before = weights.load(folder, MaskedLM).state_dict()

    def leave(theirs):
        theirs["roberta.embeddings.position_ids"] = torch.arange(12)[None]
        theirs["roberta.pooler.dense.weight"] = torch.zeros(16, 16)
        theirs["lm_head.decoder.weight"] = theirs["roberta.embeddings.word_embeddings.weight"] + 0
        theirs["lm_head.decoder.bias"] = theirs["lm_head.bias"] + 0
        for new, old in (("weight", "gamma"), ("bias", "beta")):
            name = "roberta.encoder.layer.0.output.LayerNorm."
            theirs[name + old] = theirs.pop(name + new)

    change_tensors(folder, leave)
    after = weights.load(folder, MaskedLM).state_dict()

    assert all(torch.equal(after[name], before[name]) for name in before)


def test_a_decoder_that_is_not_the_word_embedding_is_refused(folder):
    change_tensors(folder, lambda theirs: theirs.update({"lm_head.decoder.weight": torch.ones(3)}))

    error = refusal(weights.load, folder, MaskedLM)

    assert "lm_head.decoder.weight differs from roberta.embeddings.word_embeddings" in error.what


def test_a_run_folder_is_refused_with_the_way_to_its_model(folder):
    for call in (weights.read_config, weights.head_of, weights.labels_of):
        error = refusal(call, folder.parent)
        assert error.what == f"{folder.parent}: is a run, not a model"
        assert error.hint == f"pass {folder}"


def test_a_folder_that_is_not_there_or_empty_is_told_apart(tmp_path):
    assert "no such folder" in refusal(weights.read_config, tmp_path / "none").what
    assert "holds no config.json" in refusal(weights.read_config, tmp_path).what


def test_a_pickle_is_refused_with_the_way_out(folder):
    (folder / "model.safetensors").rename(folder / "pytorch_model.bin")

    error = refusal(weights.load, folder, MaskedLM)

    assert "holds pytorch_model.bin, a pickle" in error.what
    assert "save_pretrained" in error.hint


def test_shards_are_put_together_and_a_missing_one_is_named(folder):
    theirs = safetensors.torch.load((folder / "model.safetensors").read_bytes())
    (folder / "model.safetensors").unlink()
    shards = {name: f"{number % 2}.safetensors" for number, name in enumerate(sorted(theirs))}
    for shard in set(shards.values()):
        part = {name: theirs[name] for name in theirs if shards[name] == shard}
        (folder / shard).write_bytes(safetensors.torch.save(part))
    index = folder / "model.safetensors.index.json"
    index.write_text(json.dumps({"metadata": {}, "weight_map": shards}))

    assert torch.equal(weights.load(folder, MaskedLM).bias, theirs["lm_head.bias"])
    (folder / "1.safetensors").unlink()
    assert "1.safetensors: cannot be read" in refusal(weights.load, folder, MaskedLM).what


def test_a_file_cut_short_is_refused(folder):
    path = folder / "model.safetensors"
    path.write_bytes(path.read_bytes()[:-7])

    assert "model.safetensors: cannot be read" in refusal(weights.load, folder, MaskedLM).what


@pytest.mark.parametrize(
    ("changes", "what"),
    [
        ({"model_type": "gpt2"}, "model_type is 'gpt2'"),
        ({"hidden_act": "gelu_new"}, "hidden_act is 'gelu_new', only 'gelu' can be loaded"),
        ({"tie_word_embeddings": False}, "tie_word_embeddings is False"),
        ({"num_attention_heads": 3}, "width 16 cannot be shared by 3 heads"),
        ({"num_hidden_layers": "2"}, "num_hidden_layers is '2'"),
        ({"layer_norm_eps": None}, "a value is no number"),
    ],
)
def test_a_config_that_this_encoder_is_not_is_refused(changes, what, folder):
    change_config(folder, **changes)

    assert what in refusal(weights.read_config, folder).what


def test_a_config_without_sizes_or_broken_is_refused(folder):
    (folder / "config.json").write_text('{"model_type": "bert"}')
    assert (
        "vocab_size is None, num_hidden_layers is None" in refusal(weights.read_config, folder).what
    )
    (folder / "config.json").write_text("{")
    assert "not valid JSON" in refusal(weights.read_config, folder).what


def test_an_unknown_class_is_refused_with_the_known_ones(folder):
    change_config(folder, architectures=["RobertaForCausalLM"])

    error = refusal(weights.head_of, folder)

    assert "architectures names RobertaForCausalLM" in error.what
    assert "BertForMultipleChoice" in error.hint


def test_what_config_json_leaves_out_is_as_in_transformers(folder):
    table = json.loads((folder / "config.json").read_text())
    for name in ("layer_norm_eps", "pad_token_id", "eos_token_id", "hidden_dropout_prob"):
        del table[name]
    (folder / "config.json").write_text(json.dumps(table))

    config = weights.read_config(folder)

    assert (config.norm_eps, config.pad_id, config.eos_id, config.dropout) == (1e-12, 1, 2, 0.1)


def test_two_unnamed_labels_have_the_names_of_transformers(tmp_path):
    model = SequenceClassifier(CONFIG, ("LABEL_0", "LABEL_1"))
    weights.save(model, tmp_path)
    change_config(tmp_path, id2label=None, label2id=None)

    assert weights.load(tmp_path, SequenceClassifier).labels == ("LABEL_0", "LABEL_1")


def test_labels_that_skip_a_number_are_refused(tmp_path):
    weights.save(SequenceClassifier(CONFIG, LABELS), tmp_path)
    change_config(tmp_path, id2label={"0": "good", "2": "bad"})

    assert "id2label counts [0, 2]" in refusal(weights.labels_of, tmp_path).what


def test_fine_tuning_takes_the_encoder_and_draws_the_head_from_the_seed(folder):
    encoder = weights.load(folder, MaskedLM).encoder.state_dict()

    first, again, other = (
        weights.load_encoder(folder, SequenceClassifier, LABELS, seed=seed) for seed in (3, 3, 4)
    )

    assert all(torch.equal(first.encoder.state_dict()[name], x) for name, x in encoder.items())
    assert torch.equal(first.out.weight, again.out.weight)
    assert not torch.equal(first.out.weight, other.out.weight)


def test_a_head_is_kept_only_for_the_same_class_and_labels(tmp_path):
    model = SequenceClassifier(CONFIG, LABELS)
    initialise(model, seed=5)
    weights.save(model, tmp_path)

    same = weights.load_encoder(tmp_path, SequenceClassifier, LABELS)
    renamed = weights.load_encoder(tmp_path, SequenceClassifier, ("x", "y", "z"))
    other = weights.load_encoder(tmp_path, TokenClassifier, LABELS)

    assert torch.equal(same.out.weight, model.out.weight)
    assert not torch.equal(renamed.out.weight, model.out.weight)
    assert torch.equal(other.encoder.embedding.word.weight, model.encoder.embedding.word.weight)
    assert not torch.equal(other.out.weight, model.out.weight)


def test_a_pooler_comes_along_with_the_encoder(tmp_path):
    config = dataclasses.replace(BERT["tiny"], **SMALL, bos_id=2, eos_id=3)
    model = MultipleChoice(config)
    initialise(model, seed=5)
    weights.save(model, tmp_path)

    classifier = weights.load_encoder(tmp_path, SequenceClassifier, LABELS)

    assert torch.equal(classifier.dense.weight, model.dense.weight)


def test_an_encoder_of_other_sizes_than_its_config_is_refused(folder):
    change_config(folder, intermediate_size=32)

    error = refusal(weights.load_encoder, folder, SequenceClassifier, LABELS)

    assert "does not hold an encoder of the sizes in its config.json" in error.what
    assert "intermediate.dense.weight is 24x16, expected 32x16" in error.what


@pytest.fixture
def both_objectives(tmp_path):
    """A BERT and the folder in which it lies with both its heads."""
    model = Pretraining(dataclasses.replace(BERT["tiny"], **SMALL, bos_id=2, eos_id=3))
    initialise(model, seed=5)
    weights.save(model, tmp_path / "both")
    return model, tmp_path / "both"


def same(one, other):
    theirs = other.state_dict()
    return all(torch.equal(tensor, theirs[name]) for name, tensor in one.state_dict().items())


def test_pretraining_goes_on_with_both_heads(both_objectives):
    model, path = both_objectives

    back, has_head = weights.load_pretraining(path, seed=9)

    assert has_head
    assert same(model, back)
    assert same(model, weights.load(path, Pretraining))


def test_the_tensors_decide_whether_a_folder_holds_the_sentence_head(both_objectives):
    """BERT's own folders say BertForMaskedLM and hold it all the same."""
    model, path = both_objectives
    change_config(path, architectures=["BertForMaskedLM"])

    back, has_head = weights.load_pretraining(path)

    assert has_head
    assert same(model, back)


def test_a_sentence_head_that_is_not_there_whole_is_drawn_from_the_seed(both_objectives):
    model, path = both_objectives
    change_tensors(path, lambda theirs: theirs.pop("cls.seq_relationship.bias"))

    first, again, other = (weights.load_pretraining(path, seed=seed) for seed in (3, 3, 4))

    assert not any(has_head for _, has_head in (first, again, other))
    assert same(model.lm, first[0].lm)
    assert same(first[0], again[0])
    assert not torch.equal(first[0].next_sentence.out.weight, model.next_sentence.out.weight)
    assert not torch.equal(first[0].next_sentence.out.weight, other[0].next_sentence.out.weight)


def test_a_folder_of_roberta_has_no_sentence_head(folder):
    model, has_head = weights.load_pretraining(folder)

    assert not has_head
    assert same(weights.load(folder, MaskedLM), model.lm)


def test_a_sentence_head_of_another_size_is_refused(both_objectives):
    _, path = both_objectives
    wrong = {"cls.seq_relationship.weight": torch.zeros(3, 16)}
    change_tensors(path, lambda theirs: theirs.update(wrong))

    error = refusal(weights.load_pretraining, path)

    assert "its next-sentence head is not of the sizes in its config.json" in error.what
    assert "cls.seq_relationship.weight is 3x16, expected 2x16" in error.what


def test_a_folder_with_both_heads_answers_as_a_masked_language_model(both_objectives):
    model, path = both_objectives

    assert weights.head_of(path) is MaskedLM
    assert same(weights.load(path, MaskedLM), model.lm)
