"""Standard streams that end no command: closed, on a terminal that is gone, or of few characters.

Nothing is imported that takes time: commands prepare their streams before anything else.
"""

import errno
import io
import os
import sys
from pathlib import Path
from typing import Any

from ntm_repro.errors import RunError

# What a write gives where nobody will ever read: a terminal that hung up, a stream opened for reading only.
GONE = {errno.EIO, errno.EBADF}
PATIENT = {"replace", "backslashreplace", "xmlcharrefreplace", "namereplace", "ignore"}


class _Output(io.FileIO):
    """Standard output; what is written where nobody will ever read counts as written."""

    def write(self, data: Any) -> int:
        """Write like `FileIO.write`; raises `BrokenPipeError`, and `RunError` for a full disk and the like."""
        try:
            return super().write(data)
        except BrokenPipeError:
            raise
        except OSError as error:
            if error.errno not in GONE:
                raise RunError(f"standard output: {error.strerror}") from error
            return memoryview(data).nbytes


class _Errors(io.FileIO):
    """Standard error; what cannot be written counts as written, as nobody could be told."""

    def write(self, data: Any) -> int:
        """Write like `FileIO.write`; never raises `OSError`."""
        try:
            return super().write(data)
        except OSError:
            return memoryview(data).nbytes


def prepare() -> None:
    """Make standard input, output and error usable, whatever this process was started with.

    Closed ones become /dev/null, also for the processes started from here. Characters that an output's encoding lacks
    are replaced. May be called again.
    """
    for descriptor, (name, mode) in enumerate((("stdin", "r"), ("stdout", "w"), ("stderr", "w"))):
        _open_closed(descriptor)
        if getattr(sys, name) is None:
            setattr(sys, name, Path(os.devnull).open(mode, encoding="utf-8"))  # noqa: SIM115 — open till the end
    sys.stdout = _patient(sys.stdout, _Output, "replace")
    sys.stderr = _patient(sys.stderr, _Errors, "backslashreplace")


def _open_closed(descriptor: int) -> None:
    """Without this, the next file that is opened would get the number of a stream, and all that is printed."""
    try:
        os.fstat(descriptor)
    except OSError:
        opened = os.open(os.devnull, os.O_RDWR)
        if opened != descriptor:
            os.dup2(opened, descriptor)
            os.close(opened)
        os.set_inheritable(descriptor, True)


def _patient(stream: Any, kind: type[io.FileIO], errors: str) -> Any:
    """The same stream by way of `kind`; one that is no file of the operating system's stays as it is."""
    try:
        descriptor = stream.fileno()
        stream.flush()
    except (OSError, ValueError, AttributeError):
        return stream
    if not isinstance(stream, io.TextIOWrapper) or isinstance(_raw(stream), kind):
        return stream
    raw = kind(descriptor, "w", closefd=False)
    return io.TextIOWrapper(
        raw if stream.write_through else io.BufferedWriter(raw),
        encoding=stream.encoding,
        errors=stream.errors if stream.errors in PATIENT else errors,
        line_buffering=stream.line_buffering,
        write_through=stream.write_through,
    )


def _raw(stream: io.TextIOWrapper) -> Any:
    return getattr(stream.buffer, "raw", stream.buffer)
