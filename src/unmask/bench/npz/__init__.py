"""Inputs and outputs as .npz files, one a sample, as runners on other devices take them."""
