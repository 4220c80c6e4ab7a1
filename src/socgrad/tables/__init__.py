"""Tables for people: summaries of draws, and whether the sampler converged."""
