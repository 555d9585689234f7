"""What pretraining and fine-tuning share: optimizer, schedule, precision, checkpoints, loop."""
