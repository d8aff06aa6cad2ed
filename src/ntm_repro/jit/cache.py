"""How functions of compiled code are compiled, and where the machine code is kept between runs."""

import fcntl
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Any

import llvmlite.binding
import numba
from numba.core import config, event

PACKAGE = Path(__file__).parents[1]
# What is compiled, or decides how; the addressing's epsilons are compiled in.
SOURCES = ("jit/*.py", "kernels/fused/*.py", "kernels/flat_parameters.py", "optimisers/*.py", "models/addressing.py")
# Sums may be taken in any order and products fused with them: that is what vectorises a reduction. Not among them:
# the licence to assume that nothing is infinite or NaN, without which a diverging run would not be seen.
ANY_ORDER = {"reassoc", "contract", "nsz"}
# Where the order of operations is the method: range reduction in exp and log.
IN_ORDER = {"contract", "nsz"}


def inner(function: Callable[..., Any]) -> Any:
    """Compile a function that only compiled functions call; most are inlined."""
    return numba.njit(nogil=True, error_model="numpy", fastmath=ANY_ORDER)(function)


def inner_as_written(function: Callable[..., Any]) -> Any:
    """The same for sums that are taken and rounded step by step, as they are written."""
    return numba.njit(nogil=True, error_model="numpy")(function)


def entry(function: Callable[..., Any], fastmath: Any = ANY_ORDER) -> Any:
    """Compile a function that Python calls, and keep its machine code on disk."""
    with _cache_in(_CACHE):
        return numba.njit(nogil=True, error_model="numpy", fastmath=fastmath, cache=_CACHE is not None)(function)


def entry_as_written(function: Callable[..., Any]) -> Any:
    """The same for one whose own sums are taken step by step; those of the functions it calls are as these say."""
    return entry(function, fastmath=False)


@cache
def entry_of(function: Callable[..., Any]) -> Any:
    """`entry` of a function that is kept as plain Python, for readers and for use without numba; compiled once."""
    return entry(function)


def _cache_folder() -> Path | None:
    """A writable folder for machine code of exactly these source files on this processor; None where there is none.

    Named after a digest of what they say, as numba itself sees a change in the function it cached, but not in those it
    inlined; and of where they lie and when they were written, as numba does not take the code of the same sources at
    another place, but would compile it anew in whatever process comes first, instead of in one of its own.
    """
    processor = (llvmlite.binding.get_host_cpu_name(), llvmlite.binding.get_host_cpu_features().flatten())
    digest = sha256(repr((numba.__version__, llvmlite.__version__, sys.version, *processor)).encode())
    for source in (path for pattern in SOURCES for path in sorted(PACKAGE.glob(pattern))):
        stamp = source.stat()
        digest.update(repr((str(source), stamp.st_mtime_ns, stamp.st_size)).encode())
        digest.update(source.read_bytes())
    home = os.environ.get("XDG_CACHE_HOME") or Path("~/.cache").expanduser()
    name = Path("ntm-repro") / digest.hexdigest()[:16]
    for base in (Path(home), Path(tempfile.gettempdir()) / f"cache-{os.getuid()}"):
        folder = base / name
        try:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            # Machine code is run as it is found: a folder in which others may write is not ours to trust.
            trusted = folder.stat().st_uid == os.getuid() and not folder.stat().st_mode & 0o022
            with tempfile.TemporaryFile(dir=folder):
                pass
        except OSError:
            continue
        if trusted:
            return folder
    return None


@contextmanager
def _cache_in(folder: Path | None) -> Iterator[None]:
    """Where numba, asked to cache, puts what is decorated inside."""
    before = config.CACHE_DIR
    config.CACHE_DIR = str(folder or "")
    try:
        yield
    finally:
        config.CACHE_DIR = before


_CACHE = _cache_folder()


# Set by `worker.py`, which is where compiling happens.
BUILDING = False
_prepared: set[str] = set()


def prepare(dtype: str) -> None:
    """Compile the kernel for "float32" or "float64", once: `worker.py` does, in a process of its own.

    Without a folder to keep it in, or where that process fails, each function compiles as it is first called.
    """
    if BUILDING or _CACHE is None or dtype in _prepared:
        return
    _prepared.add(dtype)
    built = _CACHE / f"{dtype}.built"
    with (_CACHE / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # another process may be at it
        if built.exists():
            return
        announce()
        command = [sys.executable, "-m", f"{__package__}.worker", dtype]
        if subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True).returncode == 0:
            built.touch()


def announce() -> None:
    """Say on stderr, once in a process, that compiling takes a while."""
    if not ANNOUNCER.said:
        ANNOUNCER.said = True
        kept = "once for this machine" if _CACHE else "no folder to keep it in is writable; set XDG_CACHE_HOME"
        print(f"compiling the fused kernel, about a minute ({kept})", file=sys.stderr, flush=True)


class Announcer(event.Listener):
    """Announces what is compiled in this process; one found on disk compiles nothing and says nothing."""

    said = False

    def on_start(self, event: event.Event) -> None:
        if event.data["dispatcher"].py_func.__module__.startswith(PACKAGE.name):
            announce()

    def on_end(self, event: event.Event) -> None:
        pass


ANNOUNCER = Announcer()
event.register("numba:compile", ANNOUNCER)
