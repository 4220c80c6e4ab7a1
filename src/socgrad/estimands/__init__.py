"""Estimands: from draws of coefficients to draws of answers."""
