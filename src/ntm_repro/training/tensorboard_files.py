"""The names of TensorBoard's event files, whose order decides what it shows."""

import re
from pathlib import Path

NAME = re.compile(r"events\.out\.tfevents\.(\d{10})\.(.+)")


def rename_newer_than(folder: Path, now: int) -> None:
    """Let every event file in `folder` come before one that is begun at `now`, in seconds since 1970.

    TensorBoard reads them by name, which begins with the second. After a clock was set back the newest would be read
    first, and what the older ones say of their beginning would then hide it; begun in the same second by a process of
    the same number, as in a container, it would even overwrite the older one. Raises `OSError`.
    """
    named = [(path, found) for path in folder.iterdir() if (found := NAME.fullmatch(path.name))]
    bound = now
    for path, found in sorted(named, key=lambda it: it[0].name, reverse=True):
        second = min(int(found[1]), bound - 1)
        if second != int(found[1]):
            path.rename(folder / f"events.out.tfevents.{second:010d}.{found[2]}")
        bound = second
