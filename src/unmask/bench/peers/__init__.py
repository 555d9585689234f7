"""Other runners of the same model, each in a process of its own."""
