"""Scores: one file a kind of answer, plain numbers that go to JSON as they are."""
