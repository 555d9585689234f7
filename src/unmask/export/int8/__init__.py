"""A model in 8 bits that keeps its score."""
