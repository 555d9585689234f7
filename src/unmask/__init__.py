"""The whole life of a RoBERTa encoder: raw text to a served model, every step hashed and exact."""

__all__ = ["__version__"]

__version__ = "0.1.0"
