"""dict.txt, encoder.json and vocab.bpe: ids that stay what they are, and files that do not fit."""

import json
import random
from pathlib import Path

import pytest
import tokenizers

from unmask.convert import vocabulary
from unmask.convert.vocabulary import Spelling
from unmask.core.errors import UserError
from unmask.tokenizer import imports
from unmask.tokenizer.tokenizer import Tokenizer

HERE = Path("folder")
TEXTS = ["Hello world", " we, well: llo!", "Ünïcödé 新闻 \u2028 \t", "", "a" * 40]


def ids(tokenizer):
    return tokenizers.Tokenizer.from_str(tokenizer.json).get_vocab()


def spelled(tokenizer, folder, rows=None):
    Spelling.of(tokenizer, rows or tokenizer.vocabulary, HERE).save(folder)
    return folder


def refusal(call, *words):
    with pytest.raises(UserError) as caught:
        call(*words)
    return f"{caught.value.what} | {caught.value.hint}"


@pytest.mark.parametrize("seed", range(20))
def test_every_token_keeps_its_id_wherever_the_mask_stands(seed, make_tokenizer, tmp_path):
    dice = random.Random(seed)
    letters = "abcdefgh"
    merges = [(a, b) for a in letters for b in letters]
    dice.shuffle(merges)
    before = make_tokenizer(
        mask_at=dice.choice([None, dice.randrange(4, 300)]),
        fillers=dice.randrange(4),
        merges=merges[: dice.randrange(1, 60)],
    )
    spelled(before, tmp_path)

    after = vocabulary.read(vocabulary.find(tmp_path, None))

    assert ids(after) == ids(before)
    assert ids(imports.read(imports.find(tmp_path))) == ids(before)
    text = "".join(dice.choices(letters + " ", k=80))
    assert after.encode([text, *TEXTS])[0].ids == before.encode([text, *TEXTS])[0].ids


def test_the_mask_has_a_line_only_where_it_is_not_last(make_tokenizer, tmp_path):
    last = spelled(make_tokenizer(), tmp_path) / "dict.txt"
    assert "<mask>" not in last.read_text()

    spelled(make_tokenizer(mask_at=7), tmp_path)

    assert last.read_text().splitlines()[3] == "<mask> 1"


def test_a_mask_that_the_last_line_names_stands_where_it_would_anyway(make_tokenizer, tmp_path):
    before = make_tokenizer()
    spelled(before, tmp_path)
    with (tmp_path / "dict.txt").open("a") as file:
        file.write("<mask> 1\n")

    assert ids(vocabulary.read(vocabulary.find(tmp_path, None))) == ids(before)


def test_made_up_words_go_on_counting(make_tokenizer, tmp_path):
    tokenizer = make_tokenizer(fillers=2)
    spelled(tokenizer, tmp_path, rows=tokenizer.vocabulary + 2)

    lines = (tmp_path / "dict.txt").read_text().splitlines()

    assert [line for line in lines if line.startswith("madeupword")] == [
        f"madeupword000{number} 0" for number in range(4)
    ]


def test_another_tokenizer_of_the_same_ids_will_do(make_tokenizer, tmp_path):
    before = make_tokenizer(fillers=2)
    beside, folder = tmp_path / "beside", tmp_path / "folder"
    beside.mkdir()
    before.save(folder)
    spelled(before, beside)

    source = vocabulary.find(beside, folder)

    assert vocabulary.read(source).json == before.json
    assert [path.name for path in source.paths] == [
        "tokenizer.json",
        "tokenizer_config.json",
        "dict.txt",
    ]


@pytest.mark.parametrize(
    ("other", "said"),
    [
        ({"mask_at": 9}, "dict.txt: id 9 is "),
        ({"fillers": 1}, "dict.txt: id 265 is <mask>, in "),
    ],
)
def test_a_tokenizer_with_other_ids_is_refused(other, said, make_tokenizer, tmp_path):
    beside, folder = tmp_path / "beside", tmp_path / "folder"
    beside.mkdir()
    make_tokenizer(**other).save(folder)
    spelled(make_tokenizer(), beside)

    what = refusal(vocabulary.read, vocabulary.find(beside, folder))

    assert said in what
    assert "take dict.txt, encoder.json and vocab.bpe of the model" in what


def test_a_dictionary_of_more_rows_is_refused(make_tokenizer, tmp_path):
    beside, folder = tmp_path / "beside", tmp_path / "folder"
    beside.mkdir()
    make_tokenizer().save(folder)
    spelled(make_tokenizer(), beside, rows=268)

    what = refusal(vocabulary.read, vocabulary.find(beside, folder))

    assert "dict.txt: 264 lines, " in what
    assert "folder has 261 | take dict.txt" in what


def test_a_line_for_the_last_mask_is_no_difference(make_tokenizer, tmp_path):
    beside, folder = tmp_path / "beside", tmp_path / "folder"
    beside.mkdir()
    make_tokenizer().save(folder)
    spelled(make_tokenizer(), beside)
    with (beside / "dict.txt").open("a") as file:
        file.write("<mask> 1\n")

    assert ids(vocabulary.read(vocabulary.find(beside, folder))) == ids(make_tokenizer())


def test_gpt2_files_may_lie_elsewhere_than_the_dictionary(make_tokenizer, tmp_path):
    beside, folder = tmp_path / "beside", tmp_path / "folder"
    beside.mkdir()
    folder.mkdir()
    spelled(make_tokenizer(), folder)
    (folder / "dict.txt").rename(beside / "dict.txt")

    assert ids(vocabulary.read(vocabulary.find(beside, folder))) == ids(make_tokenizer())
    assert "no dict.txt there" in refusal(vocabulary.find, tmp_path, folder)
    assert "do not lie beside the checkpoint | name a folder" in refusal(
        vocabulary.find, beside, None
    )


def test_two_dictionaries_that_differ_are_refused(make_tokenizer, tmp_path):
    beside, folder = tmp_path / "beside", tmp_path / "folder"
    beside.mkdir()
    folder.mkdir()
    spelled(make_tokenizer(), beside)
    spelled(make_tokenizer(mask_at=50), folder)

    assert "dict.txt: id 50 is" in refusal(vocabulary.find, beside, folder)


def test_a_folder_that_was_named_and_holds_nothing(tmp_path):
    assert "no whole vocabulary there" in refusal(vocabulary.find, tmp_path, tmp_path)


def test_lines_that_are_no_ids_are_refused(make_tokenizer, tmp_path):
    spelled(make_tokenizer(), tmp_path)
    with (tmp_path / "dict.txt").open("a") as file:
        file.write("▁der 17\n")

    assert "dict.txt: dict.txt does not fit encoder.json: '▁der' is no id of it" in refusal(
        vocabulary.read, vocabulary.find(tmp_path, None)
    )


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("encoder.json", b"{", "encoder.json, vocab.bpe: not read"),
        ("vocab.bpe", b"#version: 0.2\na b c\n", "encoder.json, vocab.bpe: not read"),
        ("dict.txt", b"\xff 1\n", "dict.txt: not UTF-8"),
    ],
)
def test_files_that_are_damaged(name, content, said, make_tokenizer, tmp_path):
    spelled(make_tokenizer(), tmp_path)
    (tmp_path / name).write_bytes(content)

    assert said in refusal(lambda: vocabulary.read(vocabulary.find(tmp_path, None)))


def test_more_ids_than_rows_are_refused(make_tokenizer):
    tokenizer = make_tokenizer()

    assert "the tokenizer has 266 ids, the embedding 265 rows" in refusal(
        Spelling.of, tokenizer, 265, HERE
    )


def edited(tokenizer, **parts):
    table = json.loads(tokenizer.json)
    table |= parts
    return Tokenizer(json.dumps(table))


def test_a_space_before_the_text_is_refused(make_tokenizer):
    tokenizer = make_tokenizer()
    part = json.loads(tokenizer.json)["pre_tokenizer"] | {"add_prefix_space": True}

    what = refusal(Spelling.of, edited(tokenizer, pre_tokenizer=part), 300, HERE)

    assert "folder: the tokenizer puts a space before each text" in what


def test_added_tokens_are_refused(make_tokenizer):
    backend = tokenizers.Tokenizer.from_str(make_tokenizer().json)
    backend.add_tokens(["<extra>"])

    what = refusal(Spelling.of, Tokenizer(backend.to_str()), 300, HERE)

    assert "folder: the tokenizer has the added token '<extra>' (1 such)" in what


def test_other_special_ids_are_refused(make_tokenizer):
    table = json.loads(make_tokenizer().json)
    swap = {"<s>": 1, "<pad>": 0}
    table["model"]["vocab"] |= swap
    for token in table["added_tokens"]:
        token["id"] = swap.get(token["content"], token["id"])
    table["added_tokens"].sort(key=lambda token: token["id"])
    table["post_processor"]["cls"] = ["<s>", 1]
    tokenizer = Tokenizer(json.dumps(table))

    said = "folder: the tokenizer numbers <s> 1, <pad> 0, </s> 2, <unk> 3"
    assert said in refusal(Spelling.of, tokenizer, 300, HERE)
    assert said in refusal(vocabulary.refuse_another_model, tokenizer, 266, HERE)


def test_bert_has_another_alphabet(shared_data):
    found = imports.find(shared_data / "wordpiece" / "bert-base-uncased")
    settings = {} if len(found.paths) > 1 else {"lowercase": True}
    tokenizer = imports.read(found, **settings)

    assert "folder: the tokenizer is BERT's" in refusal(Spelling.of, tokenizer, 30522, HERE)
