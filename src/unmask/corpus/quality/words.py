"""What counts as a word where a rule speaks of words."""

import re

_WITHOUT_SPACES = (
    "\u0e00-\u0eff"  # Thai, Lao
    "\u1000-\u109f\u1780-\u17ff"  # Burmese, Khmer
    "\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"  # kana, Han
)
_WRITTEN_WITHOUT = re.compile(f"[{_WITHOUT_SPACES}]")
_WORD = re.compile(rf"[{_WITHOUT_SPACES}]|[^\s{_WITHOUT_SPACES}]+")


def words(text: str) -> list[str]:
    """Cut a text at white space; in a script that is written without, each character is a word."""
    if text.isascii() or not _WRITTEN_WITHOUT.search(text):
        return text.split()
    return _WORD.findall(text)
