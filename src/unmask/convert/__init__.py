"""Checkpoints of fairseq to model folders, and back."""
