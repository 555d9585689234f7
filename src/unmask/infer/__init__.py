"""One way to run a model: backends and text-in, answer-out pipelines."""
