"""NUTS: the PyMC graph of a model, and nutpie on it."""
