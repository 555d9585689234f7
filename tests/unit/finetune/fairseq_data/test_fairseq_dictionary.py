import pytest

from unmask.core.errors import UserError
from unmask.finetune.fairseq_data import dictionary


def test_ids_begin_with_the_specials_and_go_on_line_by_line(tmp_path):
    path = tmp_path / "dict.txt"
    path.write_text("1 37569\n0 29780\na\u2028b 3\nmadeupword0000 0\n", encoding="utf-8")

    assert dictionary.read(path) == (
        *("<s>", "<pad>", "</s>", "<unk>"),
        *("1", "0", "a\u2028b", "madeupword0000"),
    )


def test_a_symbol_may_come_again_where_its_line_says_so(tmp_path):
    path = tmp_path / "dict.txt"
    path.write_text("a 3\n<unk> 2 #fairseq:overwrite\n")

    assert dictionary.read(path)[4:] == ("a", "<unk>")


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"a 3\na 2\n", "line 2: 'a' comes a second time"),
        (b"<pad> 3\n", "line 1: '<pad>' comes a second time"),
        (b"a 3\n\n", "line 2: '' is no symbol with its count"),
        (b"a\n", "line 1: 'a' is no symbol with its count"),
        (b"a -3\n", "line 1: 'a -3' is no symbol"),
        (b" 3\n", "line 1: ' 3' is no symbol"),
        (b"a x\n", "line 1: 'a x' is no symbol"),
        (b"\xff 3\n", "not UTF-8"),
    ],
)
def test_a_bad_dictionary_says_where_and_why(tmp_path, content, said):
    path = tmp_path / "dict.txt"
    path.write_bytes(content)

    with pytest.raises(UserError) as caught:
        dictionary.read(path)

    assert said in caught.value.what
    assert str(path) in caught.value.what


def test_an_empty_dictionary_has_the_specials_and_a_missing_one_is_refused(tmp_path):
    (tmp_path / "dict.txt").touch()

    assert dictionary.read(tmp_path / "dict.txt") == dictionary.SPECIALS
    with pytest.raises(UserError, match="no such file"):
        dictionary.read(tmp_path / "absent.txt")
