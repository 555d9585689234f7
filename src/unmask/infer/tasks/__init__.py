"""What fine-tuned models answer: one file a kind of answer."""
