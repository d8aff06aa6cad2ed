"""How functions of compiled code are compiled, and how their machine code is kept between runs (`store`).

Everything that training calls is compiled in a few parts, each in a process of its own (`worker`): what a process
compiled before changes how sums are rounded. So a run gives the same bits whether its code was kept, compiled for it,
or could not be kept at all. The parts that a run needs are compiled at the same time, the others not at all.
"""

import pickle
import sys
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Any, Literal

import llvmlite
import numba
import numpy as np
import torch
from numba.core import compiler, config, event, registry, serialize
from numba.core.caching import _Cache

from ntm_repro.jit import isolation, vectors
from ntm_repro.jit.store import Store, unsealed

Kind = Literal["ntm", "lstm"]
# Of what the kernel consists: a group of sequences of each kind of model, forward and backward, and all the rest, such
# as the optimisers. They are locked in this order.
PARTS = ("rest", "lstm_forward", "lstm_backward", "ntm_forward", "ntm_backward")

PACKAGE = Path(__file__).parents[1]
# What is compiled, or decides how; the addressing's epsilons are compiled in.
SOURCES = (
    *("jit/barrier.py", "jit/cache.py", "jit/calls.py", "jit/worker.py", "kernels/fused/*.py"),
    *("kernels/flat_parameters.py", "models/addressing.py", "optimisers/*.py", "training/block.py"),
)
# Settings of numba's that have no influence on what a function is compiled to.
UNRELATED = {
    "NUMBA_CACHE_DIR",
    "NUMBA_CACHE_LOCATOR_CLASSES",
    "NUMBA_DISABLE_JIT",
    "NUMBA_NUM_THREADS",
    "NUMBA_THREADING_LAYER",
    "NUMBA_THREADING_LAYER_PRIORITY",
}
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
    """Compile a function that Python calls, and keep its machine code."""
    compiled = numba.njit(nogil=True, error_model="numpy", fastmath=fastmath)(function)
    if not config.DISABLE_JIT:
        compiled._cache = _Prepared(f"{function.__module__}.{function.__qualname__}")
    return compiled


def entry_as_written(function: Callable[..., Any]) -> Any:
    """The same for one whose own sums are taken step by step; those of the functions it calls are as these say."""
    return entry(function, fastmath=False)


@cache
def entry_of(function: Callable[..., Any]) -> Any:
    """`entry` of a function that is kept as plain Python, for readers and for use without numba; compiled once."""
    return entry(function)


class _Prepared(_Cache):
    """What numba asks for the machine code of one function before it compiles it: `prepare` has fetched that.

    Code that numba does compile here, in whatever process this is, is not kept for others.
    """

    cache_path = None

    def __init__(self, name: str) -> None:
        self._name = name

    def load_overload(self, sig: Any, target_context: Any) -> Any:
        """The compiled function for arguments of these types; None where it must be compiled."""
        code = _code.get(self._key(sig))
        if code is None:
            return None
        target_context.refresh()
        return compiler.CompileResult._rebuild(target_context, *pickle.loads(code))

    def save_overload(self, sig: Any, data: Any) -> None:
        """Take what was compiled, in the process that compiles for all."""
        if BUILDING:
            _code[self._key(sig)] = serialize.dumps(data._reduce())

    def _key(self, sig: Any) -> str:
        return f"{self._name}{sig}"

    def enable(self) -> None:
        """Part of numba's interface; there is nothing to do."""

    disable = flush = enable


# Where functions compile in a second and keep the order of their sums: here that is for another package's optimiser.
QUICK = {f"{PACKAGE.name}.training.block"}
# Set by `worker.py`, which is where compiling happens.
BUILDING = False
Stores = dict[str, Store]  # by their parts
# Machine code by function and types of its arguments.
_code: dict[str, bytes] = {}
_prepared: set[tuple[str, str]] = set()


def compiled_code() -> bytes:
    """All machine code that this process has compiled, as `prepare` takes it."""
    return pickle.dumps(_code)


def parts_for(kind: Kind) -> tuple[str, ...]:
    """The parts that a model of this kind needs."""
    return tuple(part for part in PARTS if part == "rest" or part.startswith(f"{kind}_"))


def prepare(dtype: str, parts: Sequence[str] = PARTS) -> None:
    """Fetch the machine code of these parts for "float32" or "float64", once: as kept, or compiled in own processes.

    Where one of these fails, each of its functions compiles here as it is first called, and a line on stderr says so.
    """
    missing = [part for part in PARTS if part in parts and (dtype, part) not in _prepared]
    if BUILDING or not missing:
        return
    version = _version()
    stores = {part: Store(f"{dtype}-{part}-{version}", config.CACHE_DIR, _say) for part in missing}
    contents = _read(stores)
    absent = [part for part in missing if part not in contents]
    if absent:
        with ExitStack() as locks:
            for part in absent:
                locks.enter_context(stores[part].locked())
            contents |= _read({part: stores[part] for part in absent})  # what others compiled before the locks were got
            absent = [part for part in absent if part not in contents]
            if absent:
                contents |= _compile_and_keep(dtype, {part: stores[part] for part in absent})
    for content in contents.values():
        _code.update(pickle.loads(content))
    # Not before: Ctrl-C may end the waiting in a session that goes on.
    _prepared.update((dtype, part) for part in missing)


def _read(stores: Stores) -> dict[str, bytes]:
    contents = ((part, store.read()) for part, store in stores.items())
    return {part: content for part, content in contents if content is not None}


def _version() -> str:
    """A digest of all that decides about the machine code: sources, versions, processor, numba's settings."""
    processor = registry.cpu_target.target_context.codegen().magic_tuple()
    settings = sorted((name, str(value)) for name, value in _settings().items() if name not in UNRELATED)
    versions = (numba.__version__, llvmlite.__version__, np.__version__, sys.version)
    digest = sha256(repr((*versions, *processor, settings)).encode())
    for source in (path for pattern in SOURCES for path in sorted(PACKAGE.glob(pattern))):
        digest.update(repr((source.relative_to(PACKAGE).as_posix(), source.read_bytes())).encode())
    return digest.hexdigest()[:16]


def _settings() -> dict[str, Any]:
    """Numba's variables NUMBA_… by which the code is compiled.

    As set in the environment or by .numba_config.yaml in the working directory, and those that widen its vectors.
    """
    config.reload_config()
    return {**config._env_reloader.old_environ, **vectors.settings()}


def _compile_and_keep(dtype: str, stores: Stores) -> dict[str, bytes]:
    problems = _problems(stores)
    reasons = f"; {problems}" if problems else ""
    _say(f"compiling the fused kernel, less than a minute on two cores (once for this machine{reasons})")
    contents = _compile(dtype, list(stores))
    folders = [stores[part].write(content) for part, content in contents.items()]
    problems = _problems(stores)
    if None in folders:
        _say(f"compiled the fused kernel, which cannot be kept for the next start: {problems}; set XDG_CACHE_HOME")
    elif problems:
        _say(f"compiled the fused kernel and kept it in {folders[0]}: {problems}")
    return contents


def _problems(stores: Stores) -> str:
    """Those of all stores, each once."""
    return "; ".join(dict.fromkeys(problem for store in stores.values() for problem in store.problems))


def _compile(dtype: str, parts: Sequence[str]) -> dict[str, bytes]:
    """What `worker.py` compiles, a process for each part, without those that fail.

    The processes see nothing of the working directory.
    """
    packages = [Path(str(module.__file__)).parents[1] for module in (numba, llvmlite, np, torch)]
    settings = {name: str(value) for name, value in _settings().items()}
    codes = [f"from {__package__} import worker; worker.main({part!r}, {dtype!r})" for part in parts]
    contents: dict[str, bytes] = {}
    reasons = []
    for part, done in zip(parts, isolation.run(codes, [PACKAGE.parent, *packages], settings), strict=True):
        if isinstance(done, OSError):
            reasons.append(f"no process can be started, {done.strerror}")
            continue
        content = unsealed(done.stdout)
        if content is not None:
            contents[part] = content
            continue
        lines = done.stderr.decode(errors="replace").split("\n")
        last = next((line.strip() for line in reversed(lines) if line.strip()), "no message")
        reasons.append(f"{last}, exit status {done.returncode}")
    if reasons:
        ANNOUNCER.said = True
        _say(
            f"compiling the fused kernel in a process of its own failed ({'; '.join(dict.fromkeys(reasons))}): it is "
            "compiled in this one, and the last bits of the results may differ from those of other runs"
        )
    return contents


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


class Announcer(event.Listener):
    """Says, once, that this process compiles a function of this package, which `prepare` does not cover."""

    said = False

    def on_start(self, event: event.Event) -> None:
        """Take a function that is about to be compiled."""
        module = event.data["dispatcher"].py_func.__module__
        if BUILDING or self.said or not module.startswith(PACKAGE.name) or module in QUICK:
            return
        self.said = True
        _say(
            "compiling the fused kernel in this process, about a minute (its arguments are of other types than in "
            "training; the last bits of the results may differ from those of other runs)"
        )

    def on_end(self, event: event.Event) -> None:
        """Take that it has been."""


ANNOUNCER = Announcer()
event.register("numba:compile", ANNOUNCER)
