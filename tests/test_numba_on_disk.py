"""Code that is kept on disk saves time; where it is damaged or cannot be kept, fits go on."""

import ctypes
import errno
import importlib.util
import os
import sys
import warnings
from pathlib import Path
from types import ModuleType

import pytest

from socgrad.errors import SocgradWarning
from socgrad.nuts import numba_on_disk
from socgrad.nuts.numba_on_disk import for_c, kept, numba

SOURCE = """
def half(x):
    return x / 2

def density(size, point, gradient, value, data):
    value[0] = 0.25
    return 7
"""


@pytest.fixture
def module(tmp_path, monkeypatch):
    """A module of two functions, whose compiled code is kept beside it."""
    monkeypatch.setattr(numba.config, "CACHE_DIR", "")
    path = tmp_path / "functions.py"
    path.write_text(SOURCE)
    spec = importlib.util.spec_from_file_location("functions", path)
    made = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, "functions", made)
    spec.loader.exec_module(made)
    return made


def again(module):
    """Compile or load the first function, as another process would; its answer, and the hits."""
    made = kept(numba.njit(module.half))
    assert made(5.0) == 2.5
    return sum(made.stats.cache_hits.values())


def called(made):
    """Call a density from C."""
    kind = ctypes.CFUNCTYPE(ctypes.c_int64, ctypes.c_uint64, *[ctypes.c_void_p] * 4)
    value = ctypes.c_double(0.0)
    return kind(made.address)(0, None, None, ctypes.addressof(value), None), value.value


def files(tmp_path, name, ending):
    """Files that are kept of a function."""
    return list((tmp_path / "__pycache__").glob(f"functions.{name}*.{ending}"))


DAMAGES = {
    "code cut short": ("nbc", lambda raw: raw[: len(raw) // 2]),
    "no code": ("nbc", lambda _: b""),
    "one bit of the code": ("nbc", lambda raw: raw[:900] + bytes([raw[900] ^ 1]) + raw[901:]),
    "other bytes": ("nbc", lambda _: b"not a pickle at all"),
    "an index cut short": ("nbi", lambda raw: raw[: len(raw) // 2]),
    "no index": ("nbi", lambda _: b""),
    "another index": ("nbi", lambda _: b"\x80\x05garbage"),
}


@pytest.mark.parametrize("damage", list(DAMAGES))
@pytest.mark.parametrize("name", ["half", "density"])
def test_damaged_code_is_compiled_anew(module, tmp_path, damage, name):
    """With a warning that says where it lies; the next process reads what was written again."""

    def hits():
        if name == "half":
            return again(module)
        made = for_c("density")(module.density)
        assert called(made) == (7, 0.25)
        return made.cache_hits

    assert [hits(), hits()] == [0, 1]
    ending, change = DAMAGES[damage]
    (file,) = files(tmp_path, name, ending)
    file.write_bytes(change(file.read_bytes()))
    with pytest.warns(SocgradWarning, match=rf"cannot be read .*in {tmp_path}.*compiled anew"):
        assert hits() == 0
    assert hits() == 1


def test_code_that_cannot_be_kept_is_used_all_the_same(module, tmp_path, monkeypatch):
    """As on a full disk: the warning says why, and that each process compiles anew."""

    def full(*_):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(numba_on_disk._CheckedFiles, "_save_data", full)
    with pytest.warns(SocgradWarning, match=r"cannot be kept on disk \(OSError: .*No space left"):
        assert again(module) == 0
    assert files(tmp_path, "half", "nbc") == []


def test_where_nothing_can_be_kept_nothing_is_said(module, monkeypatch):
    """Some have neither a folder for it nor a home: that is no fault to mend."""

    def refuse(*_):
        raise RuntimeError("cannot cache function: no locator available")

    monkeypatch.setattr(numba_on_disk, "_Kept", refuse)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert [again(module), again(module)] == [0, 0]


def test_code_is_of_the_source_of_what_it_calls(module, tmp_path):
    """Of itself numba looks at the function's own file alone."""
    other = ModuleType("other")
    other.__file__ = str(tmp_path / "other.py")

    def hits():
        made = kept(numba.njit(module.half), other)
        assert made(5.0) == 2.5
        return sum(made.stats.cache_hits.values())

    Path(other.__file__).write_text("x = 1\n")
    assert [hits(), hits()] == [0, 1]
    Path(other.__file__).write_text("x = 2\n")
    assert [hits(), hits()] == [0, 1]
