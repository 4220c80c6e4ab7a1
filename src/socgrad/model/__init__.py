"""The specification, what of the counts it reads, and the likelihoods."""
