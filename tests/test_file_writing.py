"""The old file or the new one, whole, with the protection that it had, and nothing beside it."""

import errno
import os
import resource
import signal
import stat
import subprocess
import sys
import textwrap
import threading
from pathlib import Path

import pytest
import xarray as xr

from socgrad.errors import SocgradError, StorageError
from socgrad.reading import file_writing
from socgrad.reading.example import example_fit
from socgrad.reading.file_writing import write_whole
from socgrad.reading.storage import load, save


def mode(path):
    """Permissions of a file."""
    return stat.S_IMODE(path.stat().st_mode)


def names(folder):
    """Names of the files in a folder."""
    return sorted(file.name for file in folder.iterdir())


@pytest.mark.parametrize("kept", [0o600, 0o640, 0o664, 0o400])
def test_a_file_keeps_its_mode(tmp_path, kept):
    """A file that others cannot read stays so when it is written again."""
    path = tmp_path / "fit.nc"
    path.write_bytes(b"old")
    path.chmod(kept)
    write_whole(path, b"new")
    assert (path.read_bytes(), mode(path)) == (b"new", kept)


def test_the_new_file_is_never_more_open_than_the_old_one(tmp_path, monkeypatch):
    """Neither is it while it is written, under its other name."""
    path = tmp_path / "fit.nc"
    path.write_bytes(b"old")
    path.chmod(0o600)
    seen = []
    monkeypatch.setattr(os, "fsync", lambda fd: seen.append(stat.S_IMODE(os.fstat(fd).st_mode)))
    write_whole(path, b"new")
    assert seen[0] == 0o600


@pytest.mark.parametrize(("mask", "made"), [(0o022, 0o644), (0o077, 0o600)])
def test_a_new_file_has_what_the_umask_leaves(tmp_path, mask, made):
    """As any file that is made."""
    before = os.umask(mask)
    try:
        write_whole(tmp_path / "fit.nc", b"new")
    finally:
        os.umask(before)
    assert mode(tmp_path / "fit.nc") == made


def test_the_group_is_kept_or_has_no_rights(tmp_path, monkeypatch):
    """Where the old group cannot be given, the new one may not read what it could not."""
    path = tmp_path / "fit.nc"
    path.write_bytes(b"old")
    path.chmod(0o640)

    def refuse(*_):
        raise PermissionError(errno.EPERM, "Operation not permitted")

    other = os.stat_result([*path.stat()[:5], path.stat().st_gid + 1, *path.stat()[6:]])
    monkeypatch.setattr(os, "fchown", refuse)
    with path.open("rb+") as file:
        file_writing._protect_like(path, other, file.fileno())
    assert mode(path) == 0o600


def test_a_link_stays_a_link(tmp_path):
    """The file that it points to is replaced, in its own folder; also one that is not there yet."""
    (tmp_path / "store").mkdir()
    link = tmp_path / "latest.nc"
    link.symlink_to(tmp_path / "store" / "fit.nc")
    for content in (b"first", b"second"):
        write_whole(link, content)
        assert link.is_symlink()
        assert (tmp_path / "store" / "fit.nc").read_bytes() == content
    assert names(tmp_path) == ["latest.nc", "store"]
    assert names(tmp_path / "store") == ["fit.nc"]


def test_a_link_that_leads_nowhere_says_so(tmp_path):
    """To a folder that is not there, or round in a circle."""
    lost, circle = tmp_path / "lost.nc", tmp_path / "circle.nc"
    lost.symlink_to(tmp_path / "none" / "fit.nc")
    circle.symlink_to(circle)
    for link in (lost, circle):
        with pytest.raises(StorageError, match=rf"{link.name} cannot be written"):
            write_whole(link, b"new")
    with pytest.raises(StorageError, match="is no file but a device or a pipe"):
        write_whole(Path(os.devnull), b"new")
    assert stat.S_ISCHR(Path(os.devnull).stat().st_mode)


def test_the_other_name_cannot_be_set_up_beforehand(tmp_path, monkeypatch):
    """It is new each time; a link where someone guessed it is not followed."""
    path, victim = tmp_path / "fit.nc", tmp_path / "victim"
    victim.write_bytes(b"precious")
    monkeypatch.setattr(file_writing.secrets, "token_hex", lambda size: "0" * 2 * size)
    guessed = tmp_path / f"{file_writing._prefix(path)}{'0' * 32}.part"
    guessed.symlink_to(victim)
    with pytest.raises(StorageError, match="File exists"):
        write_whole(path, b"new")
    assert victim.read_bytes() == b"precious"
    monkeypatch.undo()
    write_whole(path, b"new")
    assert victim.read_bytes() == b"precious"


def test_threads_may_save_one_path(tmp_path):
    """Twelve at once: none fails, the file is that of one of them, and nothing is left."""
    path, failed = tmp_path / "fit.nc", []

    def work(number):
        try:
            for _ in range(20):
                write_whole(path, bytes([number]) * 10_000)
        except BaseException as error:
            failed.append(error)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(12)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert failed == []
    assert len(set(path.read_bytes())) == 1
    assert path.stat().st_size == 10_000
    assert names(tmp_path) == ["fit.nc"]


def test_what_a_killed_save_leaves_goes_with_the_next(tmp_path):
    """Kill -9 between writing and renaming: the old file is whole, and the next save cleans up."""
    path = tmp_path / "fit.nc"
    write_whole(path, b"old")
    script = textwrap.dedent("""
        import os, signal, sys
        from pathlib import Path
        from socgrad.reading.file_writing import write_whole
        os.replace = lambda *_: os.kill(os.getpid(), signal.SIGKILL)
        write_whole(Path(sys.argv[1]), b"new")
    """)
    done = subprocess.run([sys.executable, "-c", script, str(path)], check=False)
    assert done.returncode == -signal.SIGKILL
    assert path.read_bytes() == b"old"
    assert len(names(tmp_path)) == 2
    other = tmp_path / ".socgrad-of-somebody.part"
    other.touch()
    write_whole(path, b"newer")
    assert names(tmp_path) == [other.name, "fit.nc"]


def test_what_another_is_writing_is_left_alone(tmp_path):
    """A file that is locked has a writer who lives."""
    path = tmp_path / "fit.nc"
    part, descriptor = file_writing._new_part(path, private=True)
    write_whole(path, b"new")
    assert part.exists()
    os.close(descriptor)
    write_whole(path, b"new")
    assert not part.exists()


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT, errno.EIO])
def test_a_disk_that_fails_leaves_the_old_file(tmp_path, monkeypatch, number):
    """It is our error and an OSError with its number, and names file, size and what to do."""
    path = tmp_path / "fit.nc"
    path.write_bytes(b"old")

    def fail(_):
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(StorageError, match=rf"fit\.nc cannot be written \({os.strerror(number)}; "):
        write_whole(path, b"new")
    with pytest.raises(OSError, match=r"The file of before is as it was.*fit is still in mem") as e:
        write_whole(path, b"new")
    assert isinstance(e.value, SocgradError)
    assert e.value.errno == number
    assert ("Make room" in str(e.value)) == (number != errno.EIO)
    assert path.read_bytes() == b"old"
    assert names(tmp_path) == ["fit.nc"]


def test_a_fit_too_large_for_the_disk_ends_no_process(tmp_path):
    """The kernel's own limit stands in for a full disk: the process goes on, with our error."""
    path = save(example_fit(), tmp_path / "fit.nc")
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (40_000, before[1]))
    try:
        with pytest.raises(StorageError, match=r"File too large; .* MB are needed"):
            save(example_fit(events=True), path)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, handler)
    xr.testing.assert_identical(load(path), example_fit())
    assert names(tmp_path) == ["fit.nc"]
