"""The largest memory that this process has had."""

import sys
from pathlib import Path

__all__ = ["peak_memory"]


def peak_memory() -> float | None:
    """Largest resident memory of this process so far, in MB; None where the system does not say.

    Linux counts towards a process's `ru_maxrss` what its parent held when it was started: there
    the figure is that of its own address space.
    """
    status = Path("/proc/self/status")
    if status.exists():
        for line in status.read_text(encoding="ascii", errors="replace").splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) * 1024 / 1e6
    try:
        import resource  # noqa: PLC0415 not on Windows
    except ImportError:
        return None
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return most / (1e6 if sys.platform == "darwin" else 1e3)
