import json

import pytest

from unmask.core.errors import UserError
from unmask.tokenizer import imports
from unmask.tokenizer.build import byte_level_bpe
from unmask.tokenizer.byte_letters import LETTERS
from unmask.tokenizer.train import train

BPE = train(["the cat sat on the mat"] * 3, 270)
SPECIALS = ("<s>", "<pad>", "</s>", "<unk>", "<mask>")
WORDS = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "ca", "##fe", "##fé", "Ca", "\u2028", "é"]


def imported(folder, lowercase=None):
    return imports.read(imports.find(folder), lowercase=lowercase)


def write_bert(folder, words=WORDS, **settings):
    (folder / "vocab.txt").write_text("".join(f"{word}\n" for word in words), encoding="utf-8")
    if settings:
        (folder / "tokenizer_config.json").write_text(json.dumps(settings))


def write_roberta(folder):
    BPE.save(folder)
    for name in ("tokenizer.json", "tokenizer_config.json", "special_tokens_map.json"):
        (folder / name).unlink()


def write_fairseq(folder, extra=()):
    """Give each token another GPT-2 id, and let dict.txt bring them back into order."""
    write_roberta(folder)
    (folder / "merges.txt").rename(folder / "vocab.bpe")
    ids = json.loads((folder / "vocab.json").read_text())
    (folder / "vocab.json").unlink()
    tokens = [token for token in ids if token not in SPECIALS]
    encoder = {token: len(tokens) - 1 - place for place, token in enumerate(tokens)}
    (folder / "encoder.json").write_text(json.dumps(encoder))
    lines = [f"{encoder[token]} 5" for token in tokens] + [f"{name} 0" for name in extra]
    (folder / "dict.txt").write_text("\n".join(lines) + "\n")


def test_vocab_and_merges_give_the_tokenizer_they_were_taken_from(tmp_path):
    write_roberta(tmp_path)

    assert imports.find(tmp_path).kind == "roberta"
    assert imported(tmp_path).json == BPE.json


def test_fairseq_ids_are_places_in_its_dictionary(tmp_path):
    write_fairseq(tmp_path)

    assert imported(tmp_path).json == BPE.json


def test_fillers_of_fairseq_keep_their_places(tmp_path):
    write_fairseq(tmp_path, extra=["madeupword0000", "madeupword0001"])
    tokenizer = imported(tmp_path)

    assert tokenizer.token(269) == "madeupword0000"
    assert tokenizer.mask_id == 271 == tokenizer.vocabulary - 1


@pytest.mark.parametrize("place", [0, 1, 100, 265])
def test_a_mask_stands_where_fairseqs_dictionary_names_it(place, tmp_path):
    write_fairseq(tmp_path)
    path = tmp_path / "dict.txt"
    lines = path.read_text().splitlines()
    lines.insert(place, "<mask> 1")
    path.write_text("\n".join(lines) + "\n")

    tokenizer = imported(tmp_path)

    assert tokenizer.mask_id == place + 4
    tokens = [tokenizer.token(id_) for id_ in range(tokenizer.vocabulary)]
    others = [BPE.token(id_) for id_ in range(BPE.vocabulary - 1)]
    assert tokens == [*others[: place + 4], "<mask>", *others[place + 4 :]]


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        (lambda lines: [*lines, "999 1"], "'999' is no id of it"),
        (lambda lines: lines[1:], r"its id 264 is left out \(1 such\)"),
        (lambda lines: [*lines, lines[0]], "1 of the lines come up again"),
        (lambda lines: ["<mask> 1", *lines, "<mask> 1"], "1 of the lines come up again"),
    ],
)
def test_a_dictionary_that_does_not_fit_is_refused(tmp_path, change, complaint):
    write_fairseq(tmp_path)
    path = tmp_path / "dict.txt"
    path.write_text("\n".join(change(path.read_text().splitlines())) + "\n")

    with pytest.raises(UserError, match=rf"dict\.txt does not fit encoder\.json: {complaint}"):
        imported(tmp_path)


def test_a_word_piece_vocabulary_is_numbered_by_its_lines(tmp_path):
    write_bert(tmp_path)
    tokenizer = imported(tmp_path, lowercase=False)

    assert tokenizer.vocabulary == len(WORDS)
    assert [tokenizer.token(id_) for id_ in range(len(WORDS))] == WORDS
    assert tokenizer.encode(["Cafe"])[0].tokens == ["[CLS]", "Ca", "##fe", "[SEP]"]


def test_its_settings_tell_whether_a_vocabulary_is_cased(tmp_path):
    write_bert(tmp_path, do_lower_case=True, strip_accents=False)

    assert imported(tmp_path).encode(["CAFÉ"])[0].tokens == ["[CLS]", "ca", "##fé", "[SEP]"]


def test_a_vocabulary_that_does_not_tell_its_case_needs_a_flag(tmp_path):
    write_bert(tmp_path)

    with pytest.raises(UserError, match="does not say whether its text was lowercased") as error:
        imported(tmp_path)
    assert "--lowercase" in error.value.hint


def test_a_flag_against_the_settings_is_refused(tmp_path):
    write_bert(tmp_path, do_lower_case=False)

    with pytest.raises(UserError, match="says do_lower_case False, the flag the contrary"):
        imported(tmp_path, lowercase=True)


def test_a_case_flag_for_a_byte_level_vocabulary_is_refused(tmp_path):
    write_roberta(tmp_path)

    with pytest.raises(UserError, match=r"do not go with vocab\.json"):
        imported(tmp_path, lowercase=False)


def test_a_whole_folder_comes_over_unchanged_without_its_vocabulary_files(tmp_path):
    BPE.save(tmp_path)

    assert imports.find(tmp_path).kind == "transformers"
    assert imported(tmp_path).json == BPE.json


def test_an_old_tokenizer_file_comes_over_in_todays_form(tmp_path):
    table = json.loads(BPE.json)
    del table["model"]["type"]
    table["model"]["merges"] = [" ".join(pair) for pair in table["model"]["merges"]]
    table["truncation"] = {
        "direction": "Right",
        "max_length": 4,
        "strategy": "LongestFirst",
        "stride": 0,
    }
    (tmp_path / "tokenizer.json").write_text(json.dumps(table))

    assert imported(tmp_path).json == BPE.json


def test_settings_that_contradict_the_tokenizer_are_refused(tmp_path):
    write_bert(tmp_path)
    imported(tmp_path, lowercase=True).save(tmp_path)
    path = tmp_path / "tokenizer_config.json"
    path.write_text(path.read_text().replace('"do_lower_case": true', '"do_lower_case": false'))

    with pytest.raises(
        UserError, match=r"says do_lower_case False, tokenizer\.json lowercase True"
    ):
        imported(tmp_path)


def test_a_folder_with_half_a_vocabulary_tells_what_was_found_and_what_is_needed(tmp_path):
    write_roberta(tmp_path)
    (tmp_path / "merges.txt").unlink()

    with pytest.raises(
        UserError, match=r"no whole vocabulary there \(found: vocab\.json\)"
    ) as error:
        imports.find(tmp_path)
    assert "vocab.json and merges.txt" in error.value.hint


def test_a_folder_with_two_vocabularies_is_ambiguous(tmp_path):
    write_roberta(tmp_path)
    write_bert(tmp_path)

    with pytest.raises(
        UserError, match=r"more than one .*found: merges\.txt, vocab\.json, vocab\.txt"
    ):
        imports.find(tmp_path)


def test_ids_with_a_gap_are_refused(tmp_path):
    write_roberta(tmp_path)
    path = tmp_path / "vocab.json"
    path.write_text(path.read_text().replace(": 269", ": 300"))

    with pytest.raises(UserError, match=r"without gaps: id 269 is missing"):
        imported(tmp_path)


def test_a_token_that_stands_in_a_vocabulary_twice_is_refused(tmp_path):
    write_bert(tmp_path, [*WORDS[:6], "ca", *WORDS[6:]])

    with pytest.raises(UserError, match="without gaps: id 5 is missing"):
        imported(tmp_path, lowercase=True)


def test_a_vocabulary_of_another_model_is_refused(tmp_path):
    write_roberta(tmp_path)
    path = tmp_path / "vocab.json"
    path.write_text(path.read_text().replace("<mask>", "<|endoftext|>"))

    with pytest.raises(UserError, match="no special token <mask>"):
        imported(tmp_path)


@pytest.mark.parametrize(
    ("name", "content", "complaint"),
    [
        ("vocab.json", b"{", r"vocab\.json is not JSON"),
        ("vocab.json", b"[]", r"vocab\.json is not a JSON object"),
        ("vocab.json", b'{"a": "b"}', r"vocab\.json holds ids that are no numbers"),
        ("merges.txt", b"#version: 0.2\na b c\n", r"merges\.txt, line 2: 'a b c' is no pair"),
        ("merges.txt", b"x yy\n", "the merges do not fit the vocabulary"),
        ("merges.txt", b"\xff", r"merges\.txt is not UTF-8"),
    ],
)
def test_a_damaged_file_is_named(tmp_path, name, content, complaint):
    write_roberta(tmp_path)
    (tmp_path / name).write_bytes(content)

    with pytest.raises(UserError, match=complaint):
        imported(tmp_path)


def test_a_vocabulary_that_lacks_bytes_is_refused():
    letters = [letter for letter in LETTERS if letter not in (LETTERS[0xC3], LETTERS[0xFF])]
    tokens = ["<s>", "<pad>", "</s>", "<unk>", *letters, "<mask>"]

    with pytest.raises(UserError, match="lacks 2 of the 256 bytes, first 0xC3"):
        byte_level_bpe({token: id_ for id_, token in enumerate(tokens)}, [])
