"""`unmask doctor`: what this machine has, and what will be slow."""
