import pytest
from hypothesis import given
from hypothesis import strategies as st

from unmask.report.labels import columns, shortened, width, xml


@pytest.mark.parametrize(
    ("text", "most", "kept"),
    [
        ("short", 5, "short"),
        ("too long", 6, "too l…"),
        ("too long", 5, "too…"),
        ("财经新闻", 8, "财经新闻"),
        ("财经新闻", 7, "财经新…"),
        ("e\u0301e\u0301e\u0301", 3, "e\u0301e\u0301e\u0301"),
        ("a\nb", 9, "a\\u000Ab"),
    ],
)
def test_long_labels_end_in_an_ellipsis(text, most, kept):
    assert shortened(text, most) == kept


@given(st.text(), st.integers(1, 30))
def test_a_label_is_never_wider_than_it_may_be(text, most):
    assert columns(shortened(text, most)) <= most


def test_chinese_letters_take_twice_the_room():
    assert width("财经") == width("four")


def test_text_stands_for_itself():
    assert xml("<b>&\u202e") == "&lt;b&gt;&amp;\\u202E"
