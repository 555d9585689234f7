"""Fine-tuning on labelled data, and scoring."""
