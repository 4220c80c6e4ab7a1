"""PyMC and PyTensor, imported without the one warning that means nothing here."""

import warnings
from typing import Any

with warnings.catch_warnings():
    # pip's PyTensor links no BLAS; these graphs multiply no large matrices, so little is lost.
    warnings.filterwarnings("ignore", message=".*BLAS.*")
    import pymc as pm
    import pytensor.tensor
    from pytensor.gradient import DisconnectedType
    from pytensor.graph.basic import Apply
    from pytensor.graph.op import Op
    from pytensor.link.numba.dispatch.basic import register_funcify_default_op_cache_key

# Half typed: variables of a graph carry no useful static types.
pt: Any = pytensor.tensor
#: Says how numba computes an operation of one's own.
register_numba: Any = register_funcify_default_op_cache_key

__all__ = ["Apply", "DisconnectedType", "Op", "pm", "pt", "register_numba"]
