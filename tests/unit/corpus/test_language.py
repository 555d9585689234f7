import sys

import pytest

from unmask.core.errors import UserError
from unmask.corpus.quality import language


@pytest.mark.parametrize(
    ("code", "text"),
    [
        ("en", "The cat sat on the mat and looked at the dog."),
        ("de", "Die Katze saß auf der Matte und sah den Hund an."),
        ("zh", "猫坐在垫子上看着狗。"),
        ("ar", "جلست القطة على السجادة ونظرت إلى الكلب."),
    ],
)
def test_languages_are_told_apart(code, text):
    found, probability = language.guess(text)

    assert found == code
    assert 0.5 < probability <= 1


def test_a_text_is_judged_by_its_beginning():
    text = "The cat sat on the mat. " * 100

    assert language.guess(text + "猫坐在垫子上看着狗。" * 1000) == language.guess(text)


def test_an_unknown_code_is_refused_with_those_that_are_known():
    with pytest.raises(UserError) as error:
        language.require(["en", "klingon"])

    assert error.value.what == "--filters.languages klingon: no such language"
    assert "de" in error.value.hint.split()


def test_a_missing_extra_is_named(monkeypatch):
    language._identifier.cache_clear()
    monkeypatch.setitem(sys.modules, "py3langid.langid", None)

    with pytest.raises(UserError, match="needs py3langid") as error:
        language.require(["en"])

    assert error.value.hint == "pip install 'unmask[language]'"
