"""Hidden states as vectors of texts, tokens and words."""
