"""PyMC and PyTensor, imported without the one warning that means nothing here."""

import warnings

with warnings.catch_warnings():
    # pip's PyTensor links no BLAS; these graphs multiply no matrices, so nothing is lost.
    warnings.filterwarnings("ignore", message=".*BLAS.*")
    import pymc as pm
    import pytensor.tensor as pt

__all__ = ["pm", "pt"]
