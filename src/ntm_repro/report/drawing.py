"""Pictures of many figures, drawn by several processes at once: most of a report's time is matplotlib's."""

import signal
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context

from ntm_repro.figures import drawer
from ntm_repro.figures.run_store import RunStore
from ntm_repro.figures.style import styled
from ntm_repro.report.pictures import Picture, png

WIDE = 1200  # pixels that a picture is wide: sharp on the page at its widest


def pictures(
    names: Sequence[str], sources: RunStore, processes: int = 1, progress: Callable[[str], None] = lambda _: None
) -> dict[str, Picture]:
    """The figures of those names, {name: picture}, in their order; this process is one of `processes`.

    `progress` is called with the name of what this process draws next. What drawing raises is raised here, in whichever
    process it was. `sources` goes to the others without the models that it has opened.
    """
    shares = [names[first::processes] for first in range(min(processes, len(names)))]
    drawn: dict[str, Picture] = {}
    if len(shares) > 1:
        # Not by fork: this process has the threads of torch and numba.
        with ProcessPoolExecutor(len(shares) - 1, get_context("spawn"), initializer=_end_on_interrupt) as others:
            closed = RunStore(sources.evidence, sources.load)
            futures = [others.submit(pictures, share, closed) for share in shares[1:]]
            drawn |= pictures(shares[0], sources, 1, progress)
            for future in futures:
                drawn |= future.result()
    else:
        for name in names:
            progress(name)
            with styled():
                drawn[name] = png(drawer(name)(sources), WIDE)
    return {name: drawn[name] for name in names}


def _end_on_interrupt() -> None:
    """Ctrl-C reaches every process of a terminal; the one that was asked for the pictures reports it."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)
