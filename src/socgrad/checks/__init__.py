"""Checks of a fit against its counts: posterior prediction, left-out authorities, priors."""
