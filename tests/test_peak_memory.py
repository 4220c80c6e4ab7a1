"""The largest memory of a process is its own."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from socgrad.peak_memory import peak_memory


def of_a_process(first):
    """What a process of its own says after some code."""
    code = f"from socgrad.peak_memory import peak_memory; {first}print(peak_memory())"
    command = [sys.executable, "-c", code]
    return float(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="needs Linux's /proc")
def test_a_process_does_not_inherit_its_parents_memory():
    """What the parent holds when it starts one is no part of it; what it takes itself is."""
    held = np.ones(60_000_000)
    small = of_a_process("import numpy; ")
    large = of_a_process("import numpy; x = numpy.ones(20_000_000); ")
    assert held.sum() == held.size
    assert peak_memory() > 480
    assert small < 300
    assert 140 < large - small < 220
