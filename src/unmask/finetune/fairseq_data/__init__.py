"""Folders that fairseq-preprocess wrote, read as labelled data."""
