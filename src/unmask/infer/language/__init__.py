"""What a masked language model can be asked: its masks, how likely a text is, what fits."""
