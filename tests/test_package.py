"""The package as a whole: its public names, and what importing it costs."""

import subprocess
import sys

import pytest

import socgrad


def run(code):
    """What a fresh interpreter prints."""
    return subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    ).stdout


def test_public_names_are_sorted_and_there():
    """`__all__` is sorted and unique, and each name (but the optional plots) can be had."""
    assert socgrad.__all__ == sorted(set(socgrad.__all__))
    for name in set(socgrad.__all__) - {"plots", "pymc_model"}:
        assert getattr(socgrad, name) is not None
    assert dir(socgrad) == socgrad.__all__


def test_public_objects_are_documented():
    """Every public name has a docstring."""
    for name in set(socgrad.__all__) - {"plots", "pymc_model"}:
        assert (getattr(socgrad, name).__doc__ or "").strip()


def test_unknown_names_are_refused():
    """A name that is not there raises the usual error."""
    with pytest.raises(AttributeError, match="no attribute 'gradeint'"):
        socgrad.gradeint  # noqa: B018


def test_a_name_of_a_namespace_is_answered_with_its_place():
    """Whoever knows the name and not where it stands is told."""
    with pytest.raises(AttributeError, match=r"it is socgrad\.inequality\.rii$"):
        socgrad.rii  # noqa: B018


def test_a_misspelt_name_is_answered_with_the_right_one():
    """Python says which name was perhaps meant, also where none has been used yet."""
    script = "import socgrad\nsocgrad.gradeint"
    told = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=False
    )
    assert "Did you mean: 'gradient'?" in told.stderr


def test_import_brings_no_pymc():
    """`import socgrad`, and a look at a stored fit, load neither PyMC nor nutpie nor matplotlib."""
    loaded = run(
        "import sys, socgrad\n"
        "from socgrad.reading.example import example_fit\n"
        "socgrad.gradient(example_fit())\n"
        "print(*{m.split('.')[0] for m in sys.modules})"
    ).split()
    assert {"pymc", "pytensor", "nutpie", "numba", "matplotlib"} & set(loaded) == set()
    assert "xarray" in loaded


def test_import_is_quick():
    """`import socgrad` adds under 0.3 s (of the processor) to NumPy, pandas and xarray."""
    code = (
        "import numpy, pandas, xarray, time\n"
        "start = time.process_time()\n"
        "import socgrad\n"
        "print(time.process_time() - start)"
    )
    assert min(float(run(code)) for _ in range(3)) < 0.3
