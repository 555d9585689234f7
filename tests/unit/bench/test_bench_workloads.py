"""What is computed: valid ids, true lengths, the same for a seed."""

import numpy as np
import pytest

from unmask.bench.config import BenchConfig
from unmask.bench.work import work
from unmask.bench.workloads import cases, drawn, ragged, sentence_lengths, texts
from unmask.core.errors import UserError
from unmask.model import weights
from unmask.model.config import ModelConfig
from unmask.model.heads import SequenceClassifier

MODEL = ModelConfig(
    family="roberta",
    vocabulary=120,
    layers=2,
    width=32,
    heads=4,
    feed_forward=64,
    max_length=512,
    types=1,
    norm_eps=1e-5,
    pad_id=1,
)


@pytest.fixture(scope="module")
def folder(model_folder):
    """A classifier, which reads at most 40 tokens."""
    return model_folder(SequenceClassifier, ("no", "yes"))


def test_ids_are_drawn_over_the_whole_vocabulary_and_are_never_padding():
    found = drawn(np.full(50, 200), MODEL, np.random.default_rng(0))

    assert set(found.ids_T.tolist()) == set(range(120)) - {1}
    counts = np.bincount(found.ids_T, minlength=120)[2:]
    assert counts.min() > 0.5 * counts.mean()
    assert found.lengths_N.tolist() == [200] * 50


def test_drawn_lengths_are_those_of_sentences():
    lengths = sentence_lengths(20_000, 512, np.random.default_rng(0))

    assert lengths.mean() == pytest.approx(30, rel=0.03)
    assert np.median(lengths) == pytest.approx(24, abs=1)
    assert (lengths.min(), lengths.max()) == (4, 128)
    assert sentence_lengths(500, 16, np.random.default_rng(0)).max() == 16


def test_fixed_shapes_have_several_different_inputs_of_one_length(folder):
    (one, two) = cases(BenchConfig(model=folder, batch=(1, 3), length=(20,)))

    assert (one.name, two.name) == ("1 x 20", "3 x 20")
    assert {tuple(inputs.lengths_N) for inputs in two.inputs} == {(20, 20, 20)}
    assert len({inputs.ids_T.tobytes() for inputs in two.inputs}) == len(two.inputs) > 1


def test_inputs_are_the_same_for_a_seed_and_others_for_another(folder):
    def ids(seed):
        (case,) = cases(BenchConfig(model=folder, ragged=8, seed=seed))
        return [one.ids_T.tolist() for one in case.inputs]

    first, again, other = map(ids, (0, 0, 1))

    assert first == again != other


def test_the_usual_length_is_cut_to_what_the_model_reads(folder):
    (case,) = cases(BenchConfig(model=folder))

    assert case.name == "1 x 40"


def test_lengths_beyond_what_the_model_reads_are_refused(folder):
    with pytest.raises(UserError) as caught:
        cases(BenchConfig(model=folder, length=(8, 41)))

    assert caught.value.what == f"--length 41: {folder} reads at most 40 tokens"


def test_real_texts_are_encoded_as_they_are(folder, tmp_path):
    path = tmp_path / "texts.txt"
    path.write_text("".join(f"{'a' * count}\n" for count in range(1, 61)))

    case = ragged(BenchConfig(model=folder, ragged=4, data=path), 4, weights.read_config(folder))

    lengths = case.lengths
    assert case.ragged
    assert len(case.inputs) == 15
    assert all(len(group) == 4 for group in case.inputs)
    assert sorted(lengths)[:20] == list(range(3, 23))
    assert lengths.max() == 40


def test_a_case_of_one_text_has_many_of_them(folder):
    case = ragged(BenchConfig(model=folder), 1, weights.read_config(folder))

    assert (len(case.inputs), case.batch) == (64, 1)
    assert len(set(case.lengths.tolist())) > 10


@pytest.mark.parametrize(
    ("name", "content", "column", "what"),
    [
        ("a.txt", "\n \n", None, "a.txt: has no texts"),
        ("none.txt", None, None, "none.txt: no such file"),
        ("a.txt", "x\n", "text", "--text-column text: "),
        ("a.jsonl", '{"x": "a"}\n', None, "no column 'text'"),
        ("a.tsv", "text\n", None, "a.tsv: has no rows"),
    ],
)
def test_a_file_without_texts_is_one_clear_line(tmp_path, name, content, column, what):
    path = tmp_path / name
    if content is not None:
        path.write_text(content)

    with pytest.raises(UserError) as caught:
        texts(path, column)

    assert what in caught.value.what
    assert "--columns" not in caught.value.hint


def test_too_few_texts_for_a_request_are_refused(folder, tmp_path):
    path = tmp_path / "texts.txt"
    path.write_text("one\ntwo\n")

    with pytest.raises(UserError) as caught:
        cases(BenchConfig(model=folder, ragged=3, data=path))

    assert caught.value.what == f"--ragged 3: {path} has 2 texts"


def test_a_column_of_a_table_is_read(tmp_path):
    path = tmp_path / "a.tsv"
    path.write_text("id\tbody\n1\tone\n2\ttwo\n")

    assert texts(path, "body") == ["one", "two"]


def test_work_is_of_real_tokens(folder):
    case = ragged(BenchConfig(model=folder), 8, weights.read_config(folder))

    found = work(case, MODEL, language_model=False)

    assert found[:, 0].tolist() == [8] * 8
    assert found[:, 1].tolist() == [one.lengths_N.sum() for one in case.inputs]
    D, F, layers = 32, 64, 2
    by_hand = [
        sum(layers * (2 * n * (4 * D * D + 2 * D * F) + 4 * n * n * D) for n in one.lengths_N)
        for one in case.inputs
    ]
    assert found[:, 2] == pytest.approx(by_hand)
