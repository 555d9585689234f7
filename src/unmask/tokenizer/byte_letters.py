"""How a byte-level vocabulary writes bytes: each by one character (GPT-2's encoder.py)."""

_ITSELF = [*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
_OTHERS = sorted(set(range(256)) - set(_ITSELF))

BYTE_OF = {byte: byte for byte in _ITSELF} | {256 + n: byte for n, byte in enumerate(_OTHERS)}
"""The byte for which a character stands, both as numbers."""

LETTERS = sorted(map(chr, BYTE_OF), key=lambda letter: BYTE_OF[ord(letter)])
"""The character that stands for each byte."""
