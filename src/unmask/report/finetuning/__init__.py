"""What a fine-tuning did, and what its model answers on dev."""
