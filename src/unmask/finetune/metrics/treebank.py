"""English words and punctuation apart, by the rules of the Penn Treebank's tokenizer.

It cuts one sentence of lower-case text as NLTK's `word_tokenize` does, with which CMRC 2018 is
scored. It looks for no end of a sentence within the text: of "st. louis", "j. k. rowling" and "it
ends. it begins" no full stop is cut off but one at the very end.
"""

import re

OPENING_QUOTES = (
    (r"[«“‘„]|`+", r" \g<0> "),
    (r'^"', "``"),
    (r"``", r" \g<0> "),
    (r"""(?<=[ (\[{<])(?:"|'')""", " `` "),
    (r"(?<!\w)'(?=\w)(?!(?:re|ve|ll|[mtsdn])\b)", "' "),
)
PUNCTUATION = (
    (r"""(?<=[^.])\.(?=[\])}>"'»”’ ]*\s*\Z)""", " . "),
    (r"([:,])(\D)", r" \1 \2"),
    (r"[:,]\Z", r" \g<0> "),
    (r"\.{2,}", r" \g<0> "),
    (r"[;@#$%&?!‒–—―]", r" \g<0> "),
    (r"(?<=[^'])'(?= )", " ' "),
    (r"[][(){}<>*]|--", r" \g<0> "),
)
CLOSING_QUOTES = (
    (r"[»”’]", r" \g<0> "),
    (r"""''|\"""", " '' "),
    (r"\s+", " "),
    (r"(?<=[^' ])'[smd]?(?= |\Z)", r" \g<0> "),
    (r"(?<=[^' ])(?:'(?:ll|re|ve)|n't)(?= |\Z)", r" \g<0> "),
)
CONTRACTIONS = (
    (r"\b(can)(not)\b", r" \1 \2 "),
    (r"\b(gim|lem)(me)\b", r" \1 \2 "),
    (r"\b(gon)(na)\b", r" \1 \2 "),
    (r"\b(got)(ta)\b", r" \1 \2 "),
    (r"\b(wan)(na)(?=\s|\Z)", r" \1 \2 "),
    (r"\b(d)('ye)\b", r" \1 \2 "),
    (r"\b(more)('n)\b", r" \1 \2 "),
    (r"(?<= )('t)(is)\b", r" \1 \2 "),
    (r"(?<= )('t)(was)\b", r" \1 \2 "),
)
RULES = tuple(
    (re.compile(pattern), replacement)
    for pattern, replacement in OPENING_QUOTES + PUNCTUATION + CLOSING_QUOTES + CONTRACTIONS
)


def words(sentence: str) -> list[str]:
    r"""Cut a sentence into words and punctuation; double quotes become \`\` and ''."""
    for pattern, replacement in RULES:
        sentence = pattern.sub(replacement, sentence)
    return sentence.split()
