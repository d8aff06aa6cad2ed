"""The names of TensorBoard's event files, whose order decides what it shows."""

import re
from pathlib import Path

NAME = re.compile(r"events\.out\.tfevents\.(\d{10})\.(.+)")


def rename_newer_than(folder: Path, now: int) -> None:
    """Rename event files in `folder` so that all sort before one that is begun at `now`, in seconds since 1970.

    TensorBoard reads event files in the order of their names, which begin with the second of their start. After the
    clock was set back the newest file would be read first, and the start events of the older ones would hide it. A file
    begun in the same second by a process of the same number, as in a container, would overwrite the older one. Raises
    `OSError`.
    """
    named = [(path, match) for path in folder.iterdir() if (match := NAME.fullmatch(path.name))]
    bound = now
    for path, match in sorted(named, key=lambda it: it[0].name, reverse=True):
        second = min(int(match[1]), bound - 1)
        if second != int(match[1]):
            path.rename(folder / f"events.out.tfevents.{second:010d}.{match[2]}")
        bound = second
