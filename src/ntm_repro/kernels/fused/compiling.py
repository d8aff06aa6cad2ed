"""How the kernel's functions are compiled, and where the machine code is kept between runs."""

import os
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path
from typing import Any

import numba
from numba.core import config, event

# Sums may be taken in any order and products fused with them: that is what vectorises a reduction. Not among them:
# the licence to assume that nothing is infinite or NaN, without which a diverging run would not be seen.
ANY_ORDER = {"reassoc", "contract", "nsz"}
# Where the order of operations is the method: range reduction in exp and log.
IN_ORDER = {"contract", "nsz"}


def inner(function: Callable[..., Any]) -> Any:
    """Compile a function that only compiled functions call; most are inlined."""
    return numba.njit(nogil=True, error_model="numpy", fastmath=ANY_ORDER)(function)


def entry(function: Callable[..., Any]) -> Any:
    """Compile a function that Python calls, and keep its machine code on disk."""
    with _cache_in(_CACHE):
        return numba.njit(nogil=True, error_model="numpy", fastmath=ANY_ORDER, cache=_CACHE is not None)(function)


def _cache_folder() -> Path | None:
    """A writable folder for machine code of exactly these sources; None where there is none.

    Named after the sources' digest: numba itself sees a change in the function it cached, not in those it inlined.
    """
    digest = sha256(numba.__version__.encode())
    for source in sorted(Path(__file__).parent.glob("*.py")):
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


class Announcer(event.Listener):
    """Says once that compiling the kernel takes a while; one found on disk compiles nothing and says nothing."""

    def __init__(self) -> None:
        self.said = False

    def on_start(self, event: event.Event) -> None:
        ours = event.data["dispatcher"].py_func.__module__.startswith(__package__)
        if ours and not self.said:
            self.said = True
            kept = "once for this machine" if _CACHE else "no folder to keep it in is writable; set XDG_CACHE_HOME"
            print(f"compiling the fused kernel, about a minute ({kept})", file=sys.stderr, flush=True)

    def on_end(self, event: event.Event) -> None:
        pass


ANNOUNCER = Announcer()
event.register("numba:compile", ANNOUNCER)
