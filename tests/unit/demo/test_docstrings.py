import textwrap

from unmask.demo import docstrings


def test_docstrings_come_in_source_order_and_dedented():
    source = b'''
"""The module."""
class Stack:
    """A stack.

        An indented line.

    The end.
    """
    def push(self):
        """Put on top."""
def pop():
    "Take off."
'''

    assert docstrings.read(source) == [
        "The module.",
        "A stack.\n\n    An indented line.\n\nThe end.",
        "Put on top.",
        "Take off.",
    ]


def test_a_source_that_does_not_parse_has_no_docstrings():
    assert docstrings.read(b'"""Python 2."""\nprint "hello"\n') == []


def test_other_peoples_invalid_escapes_raise_no_warning():
    assert docstrings.read(b'"""A path \\d."""') == ["A path \\d."]


def test_topics_are_read_without_importing_them():
    source = b"topics = {'pass': 'The statement is\\n\\n   pass\\n\\nIt does nothing.'}"

    text = docstrings.topics(source)["pass"]

    assert docstrings.unwrap(text).splitlines() == ["The statement is", "pass", "It does nothing."]


def test_code_in_a_topic_stays_as_lines():
    source = b"topics = {'if': 'Like this:\\n\\n   if x:\\n       y\\n'}"

    text = docstrings.topics(source)["if"]

    assert docstrings.unwrap(text) == "Like this::\n   if x:\n       y"


def unwrapped(text: str) -> list[str]:
    return docstrings.unwrap(textwrap.dedent(text).strip("\n")).splitlines()


def test_each_paragraph_becomes_one_line_and_blank_lines_go():
    text = """
        The first paragraph
        is wrapped.

        The second
          one is indented
          deeper.
    """

    assert unwrapped(text) == [
        "The first paragraph is wrapped.",
        "The second",
        "one is indented deeper.",
    ]


def test_each_item_becomes_one_line():
    text = """
        - one item
          goes on
        - another
        :param x: a number
            of things
        .. note:: mind
           this
    """

    assert unwrapped(text) == [
        "- one item goes on",
        "- another",
        ":param x: a number of things",
        ".. note:: mind this",
    ]


def test_parameters_in_google_and_numpy_style_are_items():
    text = """
        Args:
            depth (int, optional): how far
                down
            width: how wide

        Parameters
        ----------
        axis : int
            Along which
            to sum.
    """

    assert unwrapped(text) == [
        "Args:",
        "depth (int, optional): how far down",
        "width: how wide",
        "Parameters",
        "axis : int Along which to sum.",
    ]


def test_doctests_fences_literal_blocks_and_tables_stay_as_lines():
    text = """
        >>> for x in y:
        ...     x
        1

        ```
        a  = [

            1]
        ```

        An example::

            first
                second

        === ====
        one   1
        === ====

        The end
        of it.
    """

    assert unwrapped(text) == [
        *[">>> for x in y:", "...     x", "1"],
        *["```", "a  = [", "    1]", "```"],
        *["An example::", "    first", "        second"],
        *["=== ====", "one   1", "=== ===="],
        "The end of it.",
    ]


def test_code_that_nothing_announces_stays_as_lines():
    text = """
        Example:
            model = Model()
            model.fit(x)
    """

    assert unwrapped(text) == ["Example:", "    model = Model()", "    model.fit(x)"]
