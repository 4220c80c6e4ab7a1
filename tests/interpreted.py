"""PyTensor graphs evaluated as they are written: compiling takes four times as long."""

import functools
from typing import Any


@functools.cache
def interpreted() -> Any:
    """Mode of a function that is called once or a few times.

    Values are the same as those of compiled graphs to rounding, without the rewrites that keep
    extreme arguments finite: what is finite here is finite there.
    """
    from pytensor.compile.mode import Mode

    return Mode(linker="py", optimizer=None)
