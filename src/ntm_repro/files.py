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


def readable(text: str) -> str:
    """`text` as a file in UTF-8 can hold it: decoded, where it holds bytes of a path that Python could not decode.

    Under `LC_ALL=C` without Python's UTF-8 mode those are all beyond ASCII. Bytes that are no UTF-8 become U+FFFD.

    >>> readable("j\\udcc3\\udcbcrgen"), readable("j\\udcfcrgen")
    ('jürgen', 'j\ufffdrgen')
    """
    return text.encode("utf-8", "surrogateescape").decode("utf-8", "replace")


def write_text(path: Path, text: str) -> None:
    """Replace `path` by `text`, made readable. Raises `OSError`."""
    write_atomically(path, readable(text).encode())


def write_json(path: Path, content: Any) -> None:
    """Replace `path` by `content` as JSON that people can read. Raises `OSError`."""
    write_text(path, json.dumps(content, indent=2, ensure_ascii=False) + "\n")


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
