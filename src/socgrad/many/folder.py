"""A folder of fits: one file for each, named by its key, with a record beside it."""

import errno
import hashlib
import hmac
import os
import stat
import threading
import unicodedata
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from secrets import token_bytes
from typing import Final
from urllib.parse import quote

import xarray as xr

from socgrad.errors import SpecificationError, StorageError
from socgrad.many.records import FitRecord
from socgrad.reading.file_writing import write_new, write_whole
from socgrad.reading.storage import load, save

try:
    import fcntl
except ImportError:  # not on Windows: drivers there do the same work twice, and harm nothing
    fcntl = None  # type: ignore[assignment]

__all__ = ["FitFolder", "check_keys", "file_stem", "one_at_a_time"]

_SECRET: Final = ".socgrad-secret"
_LOCKS: Final = ".socgrad-locks"
_BYTES: Final = 32
#: Most file systems take names of 255 bytes; a part of that is for endings.
_LONGEST: Final = 200
#: What may stand in the name of a file on any system; other characters become %XX.
_PLAIN: Final = " !#$&'()+,;=@[]^_`{}~.-"

#: Locks of files belong to processes, so threads of one process take turns.
one_at_a_time = threading.RLock()


def file_stem(key: str) -> str:
    """Name of a key's files without ending: the key, with %XX for what names may not hold.

    Raises
    ------
    SpecificationError
        If the key is no text, is empty, or too long.
    """
    if not isinstance(key, str) or not key.strip():
        raise SpecificationError(
            f"The key {key!r} cannot name a file. Expected text, such as 'plans 2019 girls'."
        )
    stem = quote(key, safe=_PLAIN)
    # Systems drop dots and blanks at the end of a name, and hide those with a dot in front.
    for at in (0, -1):
        if stem[at] in ". ":
            code = f"%{ord(stem[at]):02X}"
            stem = code + stem[1:] if at == 0 else stem[:-1] + code
    if len(stem) > _LONGEST:
        raise SpecificationError(
            f"The key {key[:40]!r}... makes a name of {len(stem)} bytes; expected at most "
            f"{_LONGEST}. Give it a shorter one."
        )
    return stem


def check_keys(keys: Sequence[str]) -> None:
    """Refuse keys that would name one file, also where capitals and accents' forms are the same.

    Raises
    ------
    SpecificationError
        If two do, or one cannot name a file.
    """
    seen: dict[str, str] = {}
    for key in keys:
        file_stem(key)
        plain = unicodedata.normalize("NFC", key).casefold()
        if plain in seen:
            other = seen[plain]
            alike = "twice" if other == key else f"beside {other!r}, which names the same file"
            raise SpecificationError(
                f"There is a key {key!r} {alike} (capitals do not count). Expected a key of "
                "its own for each fit, such as outcome, year and group in one text."
            )
        seen[plain] = key


class FitFolder:
    """Fits by their keys, in files that are whole or not there.

    Parameters
    ----------
    path
        The folder. One that is made is for its owner alone: fits hold the counts.
    create : bool
        Whether it is made, with its secret, if it is not there.

    Raises
    ------
    FileNotFoundError
        If it is not there and not to be made, or there is no folder to make it in.
    NotADirectoryError
        If it is a file.
    StorageError
        If it cannot be written to, or its secret cannot be read, or by more than its owner.
    """

    def __init__(self, path: str | os.PathLike[str], *, create: bool) -> None:
        self.path = Path(path)
        if create:
            _make(self.path)
        self.secret = _secret(self.path, create=create)

    def default_seed(self) -> int:
        """A seed that is the folder's own, drawn with its secret."""
        return int.from_bytes(hmac.digest(self.secret, b"seed", "sha256")[:4], "big") >> 1

    def file(self, key: str) -> Path:
        """The fit's file, whether it is there or not."""
        return self.path / f"{file_stem(key)}.nc"

    def _record_file(self, key: str) -> Path:
        return self.path / f"{file_stem(key)}.json"

    def keys(self) -> list[str]:
        """Keys of all records, in alphabetical order."""
        return sorted(record.key for record in self._records())

    def _records(self) -> Iterator[FitRecord]:
        for file in self.path.glob("*.json"):
            record = FitRecord.opened(file.read_bytes(), self.secret)
            if record is not None and self._record_file(record.key) == file:
                yield record

    def record(self, key: str) -> FitRecord | None:
        """What is recorded of a fit; None where nothing is, or not as it was written."""
        try:
            content = self._record_file(key).read_bytes()
        except FileNotFoundError:
            return None
        record = FitRecord.opened(content, self.secret)
        return record if record is not None and record.key == key else None

    def holds(self, record: FitRecord) -> bool:
        """Whether the file of a fit is there, byte for byte as it was recorded."""
        if record.state != "fitted":
            return False
        try:
            content = self.file(record.key).read_bytes()
        except FileNotFoundError:
            return False
        return hmac.compare_digest(record.contents, self._hash(content))

    def _hash(self, content: bytes) -> str:
        return hmac.digest(self.secret, b"fit:" + content, "sha256").hex()

    def save(self, key: str, fit: xr.DataTree) -> str:
        """Save a fit, whole or not at all; the keyed hash of its file."""
        return self._hash(save(fit, self.file(key)).read_bytes())

    def load(self, key: str) -> xr.DataTree:
        """Read a fit, its checksum verified."""
        return load(self.file(key))

    def note(self, record: FitRecord) -> None:
        """Write the record of a fit, after its file: without one, a file is no fit."""
        write_whole(self._record_file(record.key), record.sealed(self.secret))

    @contextmanager
    def claimed(self, key: str, *, wait: bool) -> Iterator[bool]:
        """Hold a fit, so that no other process fits it at the same time.

        Parameters
        ----------
        key : str
        wait : bool
            Whether to wait for who holds it; otherwise what is given is whether it is ours.
        """
        with one_at_a_time:
            if fcntl is None:
                yield True
                return
            # One file with a byte for each key: the lock goes with the process, however that ends.
            place = int.from_bytes(hashlib.sha256(key.encode()).digest()[:7], "big")
            with (self.path / _LOCKS).open("ab") as file:
                try:
                    mode = fcntl.LOCK_EX if wait else fcntl.LOCK_EX | fcntl.LOCK_NB
                    fcntl.lockf(file, mode, 1, place)
                    ours = True
                except OSError as error:
                    # A disk without locks: work may be done twice, and harms nothing.
                    ours = error.errno not in (errno.EAGAIN, errno.EACCES)
                yield ours


def _make(path: Path) -> None:
    if path.exists() and not path.is_dir():
        raise NotADirectoryError(f"{path} is a file. Name a folder to keep the fits in.")
    if not path.parent.is_dir():
        raise FileNotFoundError(
            f"No folder {path.parent} to make {path.name} in. Make it first: "
            f"pathlib.Path({str(path.parent)!r}).mkdir(parents=True)."
        )
    try:
        path.mkdir(mode=0o700, exist_ok=True)
    except OSError as error:
        raise StorageError(f"The folder {path} cannot be made: {error}.") from error


def _secret(path: Path, *, create: bool) -> bytes:
    """The folder's secret, made once: of several who try at the same time, one does."""
    file = path / _SECRET
    if create and not os.path.lexists(file):
        write_new(file, token_bytes(_BYTES))
    try:
        descriptor = os.open(file, os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0))
    except FileNotFoundError as error:
        raise FileNotFoundError(
            f"{path} is no folder of fits: it has no {_SECRET}. Expected one that "
            "socgrad.many.fit_many has filled."
        ) from error
    except OSError as error:
        raise StorageError(
            f"{file} cannot be read ({error.strerror}): the folder is another's. Its owner can "
            "summarise it; single fits in it are read by socgrad.load."
        ) from error
    with os.fdopen(descriptor, "rb") as opened:
        mode = stat.S_IMODE(os.fstat(descriptor).st_mode)
        secret = opened.read()
    if os.name == "posix" and mode & 0o077:
        raise StorageError(
            f"{file} has mode {mode:o}: others than its owner may read it, and guess counts from "
            "fingerprints. Close it (chmod 600), or start a new folder."
        )
    if len(secret) != _BYTES:
        raise StorageError(
            f"{file} has {len(secret)} bytes, not {_BYTES}: it is damaged, and the records of the "
            "folder cannot be told from others. Remove it to fit all anew."
        )
    return secret
