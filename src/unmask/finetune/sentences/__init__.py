"""Tasks whose answer is about a whole text or a pair of texts: GLUE and any table."""
