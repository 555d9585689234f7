"""Text in, clean documents out."""
