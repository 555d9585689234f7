"""A tokens folder, shown to people."""
