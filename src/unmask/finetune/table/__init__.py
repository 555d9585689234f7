"""Labelled tables: one text or two in a row, and what is to be told of them."""

from unmask.finetune.table.records import find
from unmask.finetune.table.rows import Row, each_text, read, read_numbers, read_several, read_texts

__all__ = ["Row", "each_text", "find", "read", "read_numbers", "read_several", "read_texts"]
