"""Scores during pretraining: checkpoints are fine-tuned on tasks, in processes beside training."""
