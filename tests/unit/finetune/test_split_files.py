import pytest

from unmask.core.errors import UserError
from unmask.finetune import split_files

FORMATS = (".tsv", ".csv")


@pytest.mark.parametrize("name", ["dev.tsv", "dev.csv.gz", "dev.tsv.bz2", "dev.csv.xz"])
def test_a_file_is_found_in_any_format_and_packing(tmp_path, name):
    (tmp_path / name).touch()
    (tmp_path / "dev.md").touch()

    assert split_files.find(tmp_path, ["dev"], FORMATS) == tmp_path / name


def test_the_first_stem_that_has_a_file_wins(tmp_path):
    (tmp_path / "second.tsv").touch()
    assert split_files.find(tmp_path, ["first", "second"], FORMATS) == tmp_path / "second.tsv"

    (tmp_path / "first.csv").touch()
    assert split_files.find(tmp_path, ["first", "second"], FORMATS) == tmp_path / "first.csv"


def test_none_and_several_are_refused(tmp_path):
    with pytest.raises(UserError, match=r"has no a\.\* and no b\.\*") as caught:
        split_files.find(tmp_path, ["a", "b"], FORMATS)
    assert caught.value.hint == "put one there: .tsv, .csv, also .gz"

    (tmp_path / "a.tsv").touch()
    (tmp_path / "a.tsv.gz").touch()
    with pytest.raises(UserError, match=r"has a\.tsv and a\.tsv\.gz"):
        split_files.find(tmp_path, ["a", "b"], FORMATS)
