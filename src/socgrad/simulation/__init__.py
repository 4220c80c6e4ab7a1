"""Simulated England, with known truths."""
