"""Saves that go wrong: a disk that is full, and a process that is killed while it saves.

    sudo mount -t tmpfs -o size=2m tmpfs /mnt/small
    python benchmarks/broken_saves.py --small-disk /mnt/small --kills 100

A fit is saved to a disk that has no room for the next one; then a process that saves two fits in
turn, one after the other, is killed (kill -9) at random moments. Each time the file is to be one of
the fits, whole, and after the next save nothing else is to be in the folder.

On a machine of two busy cores (26 November 2026): the full disk gave a StorageError, the file of
before was whole and nothing was left beside it; of 100 kills 100 left a whole file, none left
another file in the folder.
"""

import argparse
import random
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from socgrad import load, save
from socgrad.errors import StorageError
from socgrad.reading.example import example_fit

SAVING = """
import itertools, sys
from socgrad import save
from socgrad.reading.example import example_fit
fits = [example_fit(), example_fit(events=True)]
print("ready", flush=True)
for fit in itertools.cycle(fits):
    save(fit, sys.argv[1])
"""


#: Bytes that are left on the disk: some, so that writing begins.
ROOM = 60_000


def full_disk(folder: Path) -> None:
    """Save to a disk that has no room for it, in this very process."""
    path = save(example_fit(), folder / "fit.nc")
    filler = folder / "filler"
    free = shutil.disk_usage(folder).free
    filler.write_bytes(bytes(max(free - ROOM, 0)))
    try:
        save(example_fit(events=True), path)
    except StorageError as error:
        print(f"full disk: {type(error).__name__}: {error}")
    else:
        print("full disk: the disk was not full; give a smaller one")
    print(f"the file of before is whole: {load(path).identical(example_fit())}")
    print(f"left beside it: {sorted(f.name for f in folder.iterdir() if f not in (path, filler))}")
    filler.unlink()


def kills(number: int) -> None:
    """Kill a process that saves, and load what it left."""
    rng = random.Random(15)
    whole = leftovers = beside = 0
    fits = [example_fit(), example_fit(events=True)]
    with tempfile.TemporaryDirectory() as folder:
        path = save(fits[0], Path(folder) / "fit.nc")
        for _ in range(number):
            command = [sys.executable, "-c", SAVING, str(path)]
            with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
                process.stdout.readline()
                time.sleep(rng.uniform(0.0, 1.0))
                process.kill()
            whole += any(load(path).identical(fit) for fit in fits)
            leftovers += len(list(Path(folder).iterdir())) - 1
            save(fits[0], path)
            beside += len(list(Path(folder).iterdir())) - 1
    print(f"kill -9: {number} times; whole files: {whole}; leftovers: {leftovers}, ", end="")
    print(f"after the next save: {beside}")


def main() -> None:
    """Read the options and run."""
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--small-disk", type=Path)
    options.add_argument("--kills", type=int, default=100)
    given = options.parse_args()
    if given.small_disk:
        full_disk(given.small_disk)
    kills(given.kills)


if __name__ == "__main__":
    main()
