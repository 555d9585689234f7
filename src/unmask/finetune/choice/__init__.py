"""Multiple choice: a question, its options, and which of them is right."""
