"""Writing a file so that there is the old one or the new one, whole, and no third thing.

The bytes go to a file of another name beside the target, to the disk, and then take its name. The
other name cannot be guessed, is never one that exists, and is held by a lock while its writer
lives: what a killed writer left behind has no lock, and the next writer removes it.
"""

import contextlib
import errno
import hashlib
import os
import re
import secrets
import stat
from pathlib import Path

from socgrad.errors import StorageError

try:
    import fcntl
except ImportError:  # not on Windows: nothing is locked there, and nothing removed
    fcntl = None  # type: ignore[assignment]

__all__ = ["write_new", "write_whole"]


def write_whole(target: Path, content: bytes | memoryview) -> None:
    """Write a file, or leave the old one as it was.

    Parameters
    ----------
    target : pathlib.Path
        Where to. A symbolic link is followed: the file that it points to is replaced.
    content : bytes or memoryview

    Raises
    ------
    StorageError
        If the content cannot be written, as on a full disk; the old file is untouched.

    Notes
    -----
    An existing file keeps its mode, and its owner, group and access list where the system lets us
    set them; where the group cannot be kept, it gets no rights. A new file has the mode that the
    umask leaves.
    """
    try:
        home = target.resolve()
        old = home.stat() if os.path.lexists(home) else None
    except (OSError, RuntimeError) as error:
        raise StorageError(f"{target} cannot be written: {error}.") from error
    if old is not None and not stat.S_ISREG(old.st_mode):
        raise StorageError(f"{target} is no file but a device or a pipe. Name a file.")
    try:
        _remove_leftovers(home)
        part, descriptor = _new_part(home, private=old is not None)
        try:
            with os.fdopen(descriptor, "wb") as file:
                if old is not None:
                    _protect_like(home, old, descriptor)
                file.write(content)
                file.flush()
                os.fsync(descriptor)
                if fcntl is not None:  # under the lock: no other writer takes it for a leftover
                    os.replace(part, home)
            if fcntl is None:  # Windows renames no open file
                os.replace(part, home)
        except BaseException:
            part.unlink(missing_ok=True)
            raise
        _sync_folder(home.parent)
    except OSError as error:
        size = f"{len(content) / 1e6:,.1f} MB"
        full = error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
        raise StorageError(
            error.errno or errno.EIO,
            f"{target} cannot be written ({error.strerror or error}; {size} are needed). "
            + ("The file of before is as it was. " if old is not None else "No file was made. ")
            + ("Make room, or save" if full else "Save")
            + " elsewhere: the fit is still in memory.",
        ) from error


def write_new(target: Path, content: bytes) -> bool:
    """Write a file for its owner alone (mode 600), unless one of its name is there.

    Of several who write at the same time one does, and what is read is whole.

    Returns
    -------
    bool
        Whether it was written.

    Raises
    ------
    StorageError
        If it cannot be written.
    """
    try:
        part, descriptor = _new_part(target, private=True)
        try:
            with os.fdopen(descriptor, "wb") as file:
                file.write(content)
                file.flush()
                os.fsync(descriptor)
            os.link(part, target)  # unlike a change of name, this replaces nothing
        finally:
            part.unlink(missing_ok=True)
        _sync_folder(target.parent)
    except FileExistsError:
        return False
    except OSError as error:
        raise StorageError(f"{target} cannot be written: {error}.") from error
    return True


def _prefix(home: Path) -> str:
    """Of the other names of a file: the file's own may be as long as names can be."""
    return f".socgrad-{hashlib.sha256(os.fsencode(home.name)).hexdigest()[:12]}-"


def _new_part(home: Path, *, private: bool) -> tuple[Path, int]:
    """Make and lock a new file beside the target: its path and descriptor."""
    # O_EXCL follows no link and opens no file that exists. A new file gets what the umask leaves.
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_CLOEXEC", 0)
    while True:
        part = home.with_name(f"{_prefix(home)}{secrets.token_hex(16)}.part")
        descriptor = os.open(part, flags | getattr(os, "O_BINARY", 0), 0o600 if private else 0o666)
        if fcntl is None:
            return part, descriptor
        with contextlib.suppress(OSError):  # a disk without locks; then leftovers stay, too
            fcntl.flock(descriptor, fcntl.LOCK_EX)
        if os.fstat(descriptor).st_nlink:
            return part, descriptor
        os.close(descriptor)  # another writer took it for a leftover before it was locked


def _protect_like(home: Path, old: os.stat_result, descriptor: int) -> None:
    """Give a file owner, access list and mode of the one that it replaces."""
    mode = stat.S_IMODE(old.st_mode)
    if hasattr(os, "fchown"):
        new = os.fstat(descriptor)
        if (new.st_uid, new.st_gid) != (old.st_uid, old.st_gid):
            try:
                os.fchown(descriptor, old.st_uid, old.st_gid)
            except OSError:
                try:
                    os.fchown(descriptor, -1, old.st_gid)
                except OSError:
                    mode &= ~stat.S_IRWXG
    if hasattr(os, "listxattr"):
        for name in os.listxattr(home):
            with contextlib.suppress(OSError):
                os.setxattr(descriptor, name, os.getxattr(home, name))
    if hasattr(os, "fchmod"):
        os.fchmod(descriptor, mode)


def _remove_leftovers(home: Path) -> None:
    """Remove what killed writers of the same file left behind: files of ours that nobody locks."""
    if fcntl is None:
        return
    pattern = re.compile(re.escape(_prefix(home)) + r"[0-9a-f]{32}\.part")
    for left in home.parent.iterdir():
        if not pattern.fullmatch(left.name):
            continue
        with contextlib.suppress(OSError):
            descriptor = os.open(left, os.O_RDWR | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
            try:
                found = os.fstat(descriptor)
                if stat.S_ISREG(found.st_mode) and found.st_uid == os.geteuid():
                    fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    left.unlink()
            finally:
                os.close(descriptor)


def _sync_folder(folder: Path) -> None:
    """Have the new name on the disk, too, where folders can be opened."""
    with contextlib.suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
