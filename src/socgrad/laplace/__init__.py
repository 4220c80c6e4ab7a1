"""The quadrature engine: of Poisson counts a full posterior with NumPy and SciPy only.

Given the shared parameters, authorities are independent, so their effects integrate out one by one
(`marginal`, from the likelihoods in `surfaces`, `totals` and `tabulated_counts`). What is left has
at most nine dimensions: its mode is climbed (`pilot`, `mode`), a bent normal proposal is fitted
there (`proposal`), its draws are weighted to be exact (`importance`), and the effects are drawn
given the shared parameters (`effects`).
"""

from socgrad.laplace.sampling import LaplaceDraws, sample_laplace

__all__ = ["LaplaceDraws", "sample_laplace"]
