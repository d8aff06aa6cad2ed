"""Files that are either wholly there or not there at all."""

import json
import os
from pathlib import Path
from typing import Any


def write_atomically(path: Path, content: bytes) -> None:
    """Replace `path` by `content`; whatever stops this halfway leaves the old file as it was. Raises `OSError`."""
    temporary = path.with_name(path.name + ".tmp")
    try:
        with temporary.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


def write_json(path: Path, content: Any) -> None:
    """Replace `path` by `content` as JSON that people can read. Raises `OSError`."""
    write_atomically(path, (json.dumps(content, indent=2, ensure_ascii=False) + "\n").encode())


def keep_previous(path: Path, previous: Path) -> None:
    """Make `previous` another name of the file `path`, which is there before, during and after. Raises `OSError`."""
    if previous.exists() and previous.samefile(path):
        return
    temporary = previous.with_name(previous.name + ".tmp")
    temporary.unlink(missing_ok=True)
    try:
        os.link(path, temporary)
    except OSError:  # a file system without hard links
        write_atomically(previous, path.read_bytes())
        return
    try:
        temporary.replace(previous)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
